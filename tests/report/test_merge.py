"""Folders of several authors: their union has every result, and what contradicts is told while nothing is written."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from ddbench.errors import StoreError
from ddbench.record import pack_predictions
from ddbench.record.predictions import reference
from ddbench.report.exported import read_exported
from ddbench.report.exporting import export_results
from ddbench.report.merge import merge_exports
from ddbench.toolkit.files import read_sealed, write_sealed
from tests.in_process import ddbench
from tests.plan.plans import Values, edited, set_
from tests.report.stores import VALUES, accuracy, contents, stored


def only(*methods: str, **changes: Any) -> Values:
    """Return the suite with some of its rows."""

    def keep(values: Values) -> None:
        values["methods"] = {name: values["methods"][name] for name in methods}
        values.update(changes)

    return edited(keep, VALUES)


def exported(folder: Path, values: Values = VALUES, **more: Any) -> Path:
    export_results(stored(folder, values, **more), folder / "out")
    return folder / "out"


@pytest.fixture
def halves(tmp_path: Path) -> tuple[Path, Path]:
    """Return the exports of two authors: one has ``random``, the other has ``first`` and ``loud first``."""
    return exported(tmp_path / "a", only("random")), exported(tmp_path / "b", only("first", "loud first"))


def whole(folder: Path) -> dict[str, Any]:
    found = read_exported(folder)
    records = {key: [one.result.last for one in records] for key, records in found.records.items()}
    return {"records": records, "cells": set(map(repr, found.trials)), "rows": found.rows}


def test_the_union_is_the_export_of_one_author_who_has_all(tmp_path: Path, halves: tuple[Path, Path]) -> None:
    before = [contents(folder) for folder in halves]
    merged = merge_exports(halves, tmp_path / "both")
    assert (merged.conflicts, merged.results, merged.new, merged.replicates) == ([], 20, 20, 0)
    assert whole(tmp_path / "both") == whole(exported(tmp_path / "c"))
    assert read_exported(tmp_path / "both").published == read_exported(tmp_path / "c" / "out").published
    assert [contents(folder) for folder in halves] == before
    (tmp_path / "both" / "lock.txt").read_text(encoding="utf-8").index(": 20 results\n")


def test_a_merge_in_any_order_and_again_changes_nothing(tmp_path: Path, halves: tuple[Path, Path]) -> None:
    merge_exports(halves, tmp_path / "both")
    merge_exports(halves[::-1], tmp_path / "other")
    records = {name: data for name, data in contents(tmp_path / "both").items() if name != "suite.json"}
    assert records.items() <= contents(tmp_path / "other").items()
    before = contents(tmp_path / "both")
    assert merge_exports(halves, tmp_path / "both").new == 0
    assert contents(tmp_path / "both") == before


def test_two_folders_copied_together_lose_nothing(tmp_path: Path, halves: tuple[Path, Path]) -> None:
    """The suite's file of the second author replaces that of the first; the records have their rows and cells."""
    both = tmp_path / "both"
    for folder in halves:
        shutil.copytree(folder, both, dirs_exist_ok=True)
    expected = whole(exported(tmp_path / "c"))
    found = whole(both)
    assert (found["records"], found["cells"]) == (expected["records"], expected["cells"])
    assert found["rows"] == expected["rows"]


def test_results_of_two_environments_stay_apart(tmp_path: Path) -> None:
    """One cell, other numbers from another machine: a replicate, and no conflict."""
    mine = exported(tmp_path / "a", only("first"))
    theirs = exported(tmp_path / "b", only("first"), fingerprint="f2", last=lambda cell: accuracy(cell) + 5)
    merged = merge_exports([mine, theirs], tmp_path / "both")
    assert (merged.conflicts, merged.results, merged.replicates) == ([], 8, 4)
    assert {len(found) for found in read_exported(tmp_path / "both").records.values()} == {2}


def test_equal_numbers_that_took_other_times_are_kept_and_count_once(tmp_path: Path) -> None:
    mine = exported(tmp_path / "a", only("first"), created="today")
    theirs = exported(tmp_path / "b", only("first"), created="tomorrow")
    merged = merge_exports([mine, theirs], tmp_path / "both")
    assert (merged.conflicts, merged.results, merged.replicates) == ([], 8, 0)
    assert {len(found) for found in read_exported(tmp_path / "both").records.values()} == {1}


def refused(tmp_path: Path, *folders: Path) -> dict[str, str]:
    """Return what a merge tells of folders that contradict each other."""
    before = [contents(folder) for folder in folders]
    merged = merge_exports(folders, tmp_path / "both")
    assert merged.conflicts
    assert not (tmp_path / "both").exists()
    assert [contents(folder) for folder in folders] == before
    return {each.what: f"{each.one} | {each.other}" for each in merged.conflicts}


def test_other_numbers_of_one_environment_are_a_conflict(tmp_path: Path) -> None:
    mine = exported(tmp_path / "a", only("first"))
    theirs = exported(tmp_path / "b", only("first"), last=lambda cell: accuracy(cell) + cell.training_seed)
    told = refused(tmp_path, mine, theirs)
    assert len(told) == 2, "two trainings of seed 1"
    assert all(what.startswith("training ") and what.endswith(" in environment f1") for what in told)
    assert all("41.0 %" in text and "42.0 %" in text for text in told.values())
    both = tmp_path / "copied"
    for folder in (mine, theirs):
        shutil.copytree(folder, both, dirs_exist_ok=True)
    assert len(list(both.glob("*-*.json"))) == 6, "two files are equal, and no other took the place of one"
    with pytest.raises(StoreError, match="the files contradict each other about the training") as raised:
        read_exported(both)
    assert "\n" not in str(raised.value)


def test_one_name_for_two_suites_is_a_conflict(tmp_path: Path) -> None:
    other = edited(set_("methods", "first", "selector")("k-center"), only("first"))
    told = refused(tmp_path, exported(tmp_path / "a", only("first")), exported(tmp_path / "b", other))
    assert "selector of row 'first'" in told
    assert "trainings of row 'first'" in told


@pytest.mark.parametrize(
    ("edit", "what"),
    [
        (set_("protocol")("dc-cifar@1"), "protocol of row 'first'"),
        (set_("margin")(0.5), "setting 'margin'"),
        (set_("baseline")("first"), "setting 'baseline'"),
        (set_("suite")("another"), "suite"),
    ],
)
def test_other_settings_under_equal_names_are_a_conflict(tmp_path: Path, edit: Any, what: str) -> None:
    mine, other = exported(tmp_path / "a", only("first")), edited(edit, only("first"))
    assert what in refused(tmp_path, mine, exported(tmp_path / "b", other))


def test_every_truncated_file_is_told_at_once(tmp_path: Path, halves: tuple[Path, Path]) -> None:
    broken = [min(folder.glob("*-*.json")) for folder in halves]
    for path in broken:
        path.write_bytes(path.read_bytes()[:-20])
    assert refused(tmp_path, *halves).keys() == {f"file {path}" for path in broken}


def test_the_verb_prints_a_table_and_exits_with_1(tmp_path: Path, halves: tuple[Path, Path]) -> None:
    ended = ddbench("merge", *map(str, halves), "--to", str(tmp_path / "both"))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"{tmp_path / 'both'}: 20 results of 2 folders, 20 of them new\n"
    path = min(halves[0].glob("*-*.json"))
    path.write_text("{")
    ended = ddbench("merge", *map(str, halves), "--to", str(tmp_path / "new"))
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[0].split() == ["conflict", "one", "other"]
    assert ended.stderr == f"nothing was written to {tmp_path / 'new'}\n"


def test_a_folder_of_exports_is_told_apart_from_an_export(tmp_path: Path, halves: tuple[Path, Path]) -> None:
    with pytest.raises(StoreError, match=r"the folder is not an export.*merge its subfolders one by one: out"):
        merge_exports([halves[0].parent], tmp_path / "both")
    with pytest.raises(StoreError, match="`ddbench export` writes exports"):
        merge_exports([tmp_path / "none"], tmp_path / "both")


def test_predictions_are_united_and_checked(tmp_path: Path) -> None:
    data = pack_predictions([0] * 18, 3)
    named = reference("f1.npy", data)
    folders = []
    for name in ("random", "first"):
        results = stored(tmp_path / name, only(name), predictions=named.model_dump())
        written = export_results(results, tmp_path / name / "out", lambda record: data)
        assert (written.predictions, written.size) == (1, len(data)), "equal files are one"
        folders.append(tmp_path / name / "out")
    merge_exports(folders, tmp_path / "both")
    assert contents(tmp_path / "both" / "predictions") == {f"{named.sha256}.npy": data}
    path = folders[0] / "predictions" / f"{named.sha256}.npy"
    path.write_bytes(data[:-1])
    merged = merge_exports(folders, tmp_path / "new")
    assert [each.one for each in merged.conflicts] == ["the predictions are damaged"]


def test_two_codes_under_one_version_are_a_conflict(tmp_path: Path) -> None:
    from tests.report.test_mixed import ORIGIN

    one = exported(tmp_path / "a", only("first"), lineage=[ORIGIN])
    other = exported(tmp_path / "b", only("random"), lineage=[{**ORIGIN, "code_hash": "b" * 64}])
    assert "results of two codes of selector 'theirs'" in refused(tmp_path, one, other)["code"]


def test_results_on_another_data_set_are_a_conflict(tmp_path: Path) -> None:
    """Only the records tell that a folder has files of a suite on another data set."""
    one, another = ({"kind": "dataset", "name": name, "params": {}} for name in ("dots", "stripes"))
    mine, theirs = exported(tmp_path / "a", only("first"), dataset=one), exported(tmp_path / "b", dataset=another)
    for path in theirs.glob("*-*.json"):
        shutil.copy(path, mine)
    with pytest.raises(StoreError, match=r"the data set of the results: \w+ .*(dots|stripes) \("):
        read_exported(mine)


@pytest.mark.parametrize("name", ["../../escaped", "/escaped", "..", "a/b", ""])
def test_the_name_of_a_foreign_suite_is_no_path(tmp_path: Path, name: str) -> None:
    folder = exported(tmp_path / "a", only("first"))
    write_sealed(folder / "suite.json", {**(read_sealed(folder / "suite.json") or {}), "suite": name})
    with pytest.raises(StoreError, match=r"suite\.json: `ddbench export` did not write this file"):
        read_exported(folder)


def test_an_old_export_grows_without_new_names(tmp_path: Path, halves: tuple[Path, Path]) -> None:
    """Files without a digest in their names, as earlier versions wrote them, stay where they are."""
    old, new = halves
    for path in list(old.glob("*-*.json")):
        value = read_sealed(path) or {}
        del value["rows"]
        path.unlink()
        write_sealed(path.with_name("-".join(path.name.split("-")[:2]) + ".json"), value)
    before = contents(old)
    assert merge_exports([new], old).new == 8
    assert {
        name: data for name, data in contents(old).items() if name in before and "-" in name
    }.items() <= before.items()
    assert whole(old) == whole(exported(tmp_path / "c"))
