"""Results in exported folders count as there: they are not trained again, and a report shows them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from ddbench.errors import StoreError
from ddbench.report.elsewhere import results_in
from ddbench.toolkit.files import read_sealed, write_sealed
from tests.in_process import ddbench

SUITE = """\
suite: shared
dataset: dots
protocol: smoke@1
evaluator: nearest-mean
ipc: [1]
students: [pixels]
seeds: {training: [0, 1]}
methods:
  first: {generator: real, selector: first}
  random: {generator: real, selector: random}
"""


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Return the folder of another author's export of the first training seed."""
    (tmp_path / "suite.yaml").write_text(SUITE.replace("[0, 1]", "[0]"))
    assert ddbench("run", str(tmp_path / "suite.yaml"), "--store", str(tmp_path / "there")).returncode == 0
    assert verb(tmp_path, "export", "--store", str(tmp_path / "there"), "--to", str(tmp_path / "out")) != ""
    (tmp_path / "suite.yaml").write_text(SUITE)
    return tmp_path / "out" / "shared"


def verb(folder: Path, name: str, *arguments: str) -> str:
    ended = ddbench(name, str(folder / "suite.yaml"), *arguments)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout + ended.stderr


def test_a_run_trains_only_what_no_folder_has(tmp_path: Path, theirs: Path) -> None:
    store = str(tmp_path / "here")
    told = f"results: 0 in the store, 2 in {theirs}; 2 to train"
    assert told in verb(tmp_path, "plan", "--store", store, "--results", str(theirs))
    ran = verb(tmp_path, "run", "--store", store, "--results", str(theirs))
    assert told in ran
    assert "2 evaluate" in ran
    assert "4 of 4 cells have results" in ran
    records = list((tmp_path / "here" / "results").glob("*/*"))
    assert len(records) == 2, "the results of others are not put into the store"
    assert "ran nothing" in verb(tmp_path, "run", "--store", store, "--results", str(theirs))


def test_a_suite_whose_results_are_all_there_needs_no_store(tmp_path: Path, theirs: Path) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE.replace("[0, 1]", "[0]"))
    nothing = str(tmp_path / "none")
    shown = verb(tmp_path, "report", "--store", nothing, "--results", str(theirs.parent))
    assert f"results: 0 in the store, 2 in {theirs.parent}; 0 to train" in shown
    told = verb(tmp_path, "report", "--store", str(tmp_path / "there"))
    assert told in shown
    assert not (tmp_path / "none").exists()
    found = json.loads(ddbench("plan", str(tmp_path / "suite.yaml"), "--results", str(theirs), "--json").stdout)
    assert (found["cells_done"], sum(stage["to_run"] for stage in found["stages"])) == (2, 0)


def test_replicates_of_another_environment_are_shown_beside_those_of_the_store(tmp_path: Path, theirs: Path) -> None:
    for path in list(theirs.glob("*-*.json")):
        value = read_sealed(path) or {}
        value["record"]["fingerprint"] = "abc"
        value["record"]["environment"]["device_model"] = "Slide Rule"
        path.unlink()
        write_sealed(path.with_name(f"{path.name.split('-')[0]}-abc.json"), value)
    shown = verb(tmp_path, "report", "--store", str(tmp_path / "there"), "--results", str(theirs))
    assert "Slide Rule" in shown
    assert "results: 2 in the store, 0 in exports; 2 to train" in shown


def test_other_numbers_of_one_environment_are_told(tmp_path: Path, theirs: Path) -> None:
    path = min(theirs.glob("*-*.json"))
    value = read_sealed(path) or {}
    value["record"]["result"]["last"] = 1.5
    path.unlink()
    path = path.with_name("-".join(path.name.split("-")[:2]) + ".json")
    write_sealed(path, value)
    ended = ddbench(
        "report", str(tmp_path / "suite.yaml"), "--store", str(tmp_path / "there"), "--results", str(theirs)
    )
    assert ended.returncode == 2
    assert re.search(r"the export has 1.5 % and the store has \S+ % for training", ended.stderr)
    assert len(ended.stderr.splitlines()) == 1
    shutil.copytree(theirs, tmp_path / "two" / "one")
    (tmp_path / "suite.yaml").write_text(SUITE.replace("[0, 1]", "[0]"))
    verb(tmp_path, "export", "--store", str(tmp_path / "there"), "--to", str(tmp_path / "two"))
    with pytest.raises(StoreError, match="two exports contradict each other about training"):
        results_in([tmp_path / "two"])


def test_damaged_and_missing_folders_are_told(tmp_path: Path, theirs: Path) -> None:
    with pytest.raises(StoreError, match="there are no exported results; give a folder that"):
        results_in([tmp_path / "nothing"])
    path = min(theirs.glob("*-*.json"))
    path.write_text("{")
    with pytest.raises(StoreError, match="did not write this file"):
        results_in([theirs])


def test_results_of_an_earlier_version_are_counted_and_not_used(tmp_path: Path) -> None:
    from tests.conftest import ROOT

    (tmp_path / "suite.yaml").write_text(SUITE)
    shown = verb(tmp_path, "plan", "--results", str(ROOT / "leaderboard" / "results" / "reproduction-cifar10-resnetap"))
    assert "6 exported results have keys of an earlier version and are not used" in shown


def test_code_that_an_export_names_is_never_imported(tmp_path: Path, theirs: Path) -> None:
    """A record that names a component of an unknown package is data like any other."""
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')")
    for path in list(theirs.glob("*-*.json")):
        value = read_sealed(path) or {}
        value["record"]["student"] = {"kind": "student", "name": "evil", "params": {"module": "evil"}}
        value["record"]["lineage"][0] |= {"package": "evil", "name": "evil"}
        path.unlink()
        write_sealed(path.with_name("-".join(path.name.split("-")[:2]) + ".json"), value)
    (tmp_path / "suite.yaml").write_text(SUITE.replace("[0, 1]", "[0]"))
    assert "0 to train" in verb(tmp_path, "report", "--store", str(tmp_path / "none"), "--results", str(theirs))
