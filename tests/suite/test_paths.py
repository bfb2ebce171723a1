"""Relative paths in a suite start at its folder, wherever it is used."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import cast

import pytest
import torch
from safetensors.torch import save_file

import ddbench
from ddbench.errors import DdbenchError
from ddbench.plan import State, build_graph
from ddbench.report.exporting import export_results
from ddbench.report.results import results_of
from ddbench.store import Store
from ddbench.suite import ResolvedSuite, load_suite
from tests.suite.suites import write

POOL = "generators: {mine: {use: pool-file, path: %s}}\nmethods: {A: {generator: mine, selector: first}}\n"


@pytest.fixture
def suites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of suites and pools. The working directory is another one."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    for name, colour in (("one", 1), ("two", 2)):
        folder = tmp_path / name / "pools"
        folder.mkdir(parents=True)
        tensors = {"images": torch.full((6, 3, 8, 8), colour, dtype=torch.uint8), "labels": torch.arange(6) % 3}
        save_file(tensors, folder / "pool", {"classes": json.dumps(["red", "green", "blue"])})
    return tmp_path


def pool_of(suite: ResolvedSuite) -> Path:
    params = suite.cells[0].row.generator.component.params
    return cast("Path", cast("object", getattr(params, "path")))  # noqa: B009


def keys(suite: ResolvedSuite) -> list[str]:
    return [key for _, key in build_graph(suite).cells]


@pytest.mark.parametrize("written", ["pools/pool", "./pools/pool", "../one/pools/pool"])
def test_a_pool_is_found_from_the_suite(suites: Path, written: str) -> None:
    suite = load_suite(write(suites / "one", POOL % written)[0])
    assert pool_of(suite).samefile(suites / "one" / "pools" / "pool")
    whole = load_suite(write(suites / "one", POOL % (suites / "one/pools/pool"), name="whole.yaml")[0])
    assert keys(suite) == keys(whole), "keys do not contain the path"
    assert keys(suite) != keys(load_suite(write(suites / "two", POOL % "pools/pool")[0]))


def test_the_suite_may_be_named_by_a_relative_path(suites: Path) -> None:
    file, _ = write(suites / "one", POOL % "pools/pool")
    suite = load_suite(Path(os.path.relpath(file)))
    assert pool_of(suite).is_absolute()
    assert pool_of(suite).samefile(suites / "one/pools/pool")


def test_an_inherited_path_starts_at_the_folder_of_its_own_file(suites: Path) -> None:
    write(suites / "one", POOL % "pools/pool", name="base.yaml")
    extending = suites / "two" / "suite.yaml"
    extending.write_text("extends: ../one/base.yaml\nsuite: extending\n")
    assert pool_of(load_suite(extending)).samefile(suites / "one/pools/pool")
    extending.write_text("extends: ../one/base.yaml\ngenerators: {mine: {use: pool-file, path: pools/pool}}\n")
    assert pool_of(load_suite(extending)).samefile(suites / "two/pools/pool")


def test_a_missing_file_is_named_with_its_folder(suites: Path) -> None:
    with pytest.raises(DdbenchError) as caught:
        load_suite(write(suites / "one", POOL % "pool")[0])
    assert f"{suites / 'one' / 'pool'}: there is no such file" in str(caught.value)
    assert "in a suite, a relative path starts at its folder" in str(caught.value)


def test_an_export_has_only_the_last_part_of_a_path(suites: Path) -> None:
    suite = load_suite(write(suites / "one", POOL % "pools/pool")[0])
    state = State(build_graph(suite), Store.open(suites / "store")).resolve_all()
    export_results(results_of(suite, state), suites / "out")
    found = (suites / "out" / "suite.json").read_text()
    assert "pools" not in found
    assert json.loads(found)["values"]["generators"]["mine"]["path"] == "pool"


def test_outside_a_suite_a_path_starts_at_the_working_directory(suites: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(suites / "two")
    there, relative = (
        ddbench.create("generator", "pool-file", path=p) for p in (suites / "two/pools/pool", "pools/pool")
    )
    assert there.fingerprinted == relative.fingerprinted
