"""Exports that are damaged, foreign or absent: each is one line, and nothing is overwritten."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ddbench.errors import DdbenchError, StoreError
from ddbench.report.exported import read_exported
from ddbench.report.exporting import export_results
from ddbench.toolkit.files import read_sealed, write_sealed
from tests.plan.plans import edited, set_
from tests.record.mutations import mutated, short
from tests.report.stores import VALUES, contents, pages, stored


def spoil_bytes(path: Path, value: dict[str, Any]) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def spoil_number(path: Path, value: dict[str, Any]) -> None:
    path.write_text(path.read_text().replace('"last": ', '"last": 9'))


def spoil_form(path: Path, value: dict[str, Any]) -> None:
    write_sealed(path, {"record": value["record"]})


def spoil_cells(path: Path, value: dict[str, Any]) -> None:
    write_sealed(path, {**value, "cells": [1]})


def spoil_with_another(path: Path, value: dict[str, Any]) -> None:
    write_sealed(path, {**value, "record": {**value["record"], "fingerprint": "f9"}})


def spoil_list(path: Path, value: dict[str, Any]) -> None:
    path.write_text("[]")


SPOILS = [spoil_bytes, spoil_number, spoil_form, spoil_cells, spoil_with_another, spoil_list]


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_damaged_or_foreign_file_is_named(tmp_path: Path, spoil: Any) -> None:
    out = tmp_path / "out"
    export_results(stored(tmp_path), out)
    path = sorted(out.glob("*-*.json"))[3]
    spoil(path, read_sealed(path))
    with pytest.raises(StoreError) as caught:
        read_exported(out)
    said = "`ddbench export` did not write this file, or the file was changed later; restore or remove it"
    assert str(caught.value) == f"{path}: {said}"
    before = contents(out)
    with pytest.raises(StoreError) as caught:
        export_results(stored(tmp_path), out)
    assert str(caught.value).startswith(f"{path}: ")
    assert contents(out) == before


@pytest.mark.parametrize("edit", [set_("format")(3), set_("cells", 0, "ipc")("1"), lambda value: value.pop("rows")])
def test_so_is_a_suite_file_of_another_form(tmp_path: Path, edit: Any) -> None:
    export_results(stored(tmp_path), tmp_path)
    path = tmp_path / "suite.json"
    value = read_sealed(path) or {}
    edit(value)
    write_sealed(path, value)
    with pytest.raises(StoreError, match=r"suite\.json: `ddbench export` did not write this file"):
        read_exported(tmp_path)


def test_a_folder_that_is_none_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no suite\.json; give a suite file, or a folder that"):
        read_exported(tmp_path)


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(DdbenchError, match=r"cannot write .*out: .*; choose another folder with --to"):
        export_results(stored(tmp_path), tmp_path / "out")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return the files of a small export by name."""
    folder = tmp_path_factory.mktemp("exported")
    values = edited(lambda v: v.update(ipc=[1], seeds={"training": [0]}), VALUES)
    export_results(stored(folder, values), folder / "out")
    return {path.name: read_sealed(path) or {} for path in (folder / "out").glob("*.json")}


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_mutated_files_are_read_or_refused(
    tmp_path: Path, exported: dict[str, dict[str, Any]], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(exported)))
    whole = copy.deepcopy(exported[name])
    if name != "suite.json":
        whole["record"] = short(whole["record"])
    changed = data.draw(mutated(whole))
    if not isinstance(changed, dict) or "checksum" in changed:
        return
    for each, value in {**exported, name: changed}.items():
        try:
            write_sealed(tmp_path / each, value)
        except (ValueError, TypeError):  # no finite number: it cannot have been written
            return
    complaint = ""
    try:
        pages(read_exported(tmp_path))
    except StoreError as error:
        complaint = str(error)
    assert "\n" not in complaint


def test_too_deep_a_file_is_damage(tmp_path: Path) -> None:
    export_results(stored(tmp_path), tmp_path / "out")
    path = sorted((tmp_path / "out").glob("*-*.json"))[0]
    path.write_text('{"a": ' * 100_000 + "1" + "}" * 100_000)
    with pytest.raises(StoreError, match="did not write this file"):
        read_exported(tmp_path / "out")
