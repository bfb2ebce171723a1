"""A pull request of results: what it holds, and each check of a reviewer."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

import pytest

from ddbench.record import pack_predictions
from ddbench.record.predictions import reference
from ddbench.report.exported import read_exported
from ddbench.report.exporting import export_results
from ddbench.report.submission import Check, checks_of
from tests.conftest import ROOT
from tests.in_process import ddbench
from tests.plan.pretend import record
from tests.report.stores import contents, stored
from tests.report.test_merge import only
from tests.report.test_mixed import ORIGIN

NAMES = (
    "every file is verified",
    "every row is complete",
    "results have the keys of this version",
    "no protocol is local",
    "environments are known",
    "code is released or committed",
    "no file names a folder or a user",
    "the suite is in ddbench",
)
ENVIRONMENT = record("a", 1.0)["environment"]
NO_GPU = {"driver": None, "cuda": "13.0", "cudnn": None}


def checked(tmp_path: Path, data: bytes | None = None, **more: Any) -> dict[str, tuple[str, ...]]:
    """Return the problems of an export by check."""
    folder = tmp_path / "out"
    export_results(stored(tmp_path, only("first"), **more), folder, lambda record: data)
    checks = checks_of(read_exported(folder), folder, ["keys"], [])
    assert tuple(check.name for check in checks) == NAMES
    return {check.name: check.problems for check in checks}


def test_good_results_pass_every_check(tmp_path: Path) -> None:
    assert set(checked(tmp_path, lineage=[ORIGIN]).values()) == {()}


@pytest.mark.parametrize(
    ("name", "problem", "more"),
    [
        ("every row is complete", "trainings missing of 'first': 2", {"done": lambda cell: cell.training_seed == 0}),
        ("no protocol is local", "mine@1", {"protocol": {"id": "mine@1", "sha256": "0" * 64, "content": {}}}),
        (
            "environments are known",
            "Abacus 3000 without threads",
            {"environment": {**ENVIRONMENT, "threads": None}},
        ),
        (
            "environments are known",
            "Abacus 3000 without driver and cuDNN",
            {"environment": {**ENVIRONMENT, "device": "cuda", "gpu": NO_GPU}},
        ),
        (
            "code is released or committed",
            "selector 'theirs' was edited after commit abc",
            {"lineage": [{**ORIGIN, "commit": "abc", "dirty": True}]},
        ),
        (
            "code is released or committed",
            "selector 'theirs' has no package or no code hash",
            {"lineage": [{**ORIGIN, "package": None}]},
        ),
    ],
)
def test_each_problem_is_found(tmp_path: Path, name: str, problem: str, more: dict[str, Any]) -> None:
    problems = checked(tmp_path, **more)
    assert problems.pop(name) == (problem,)
    assert set(problems.values()) == {()}


@pytest.mark.parametrize("text", ["see /home/someone/data", r"C:\Users\me", "made by the-user here"])
def test_folders_and_users_are_found_inside_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "the-user")
    student = {"kind": "student", "name": "pixels", "params": {"note": text}}
    problems = checked(tmp_path, student=student)["no file names a folder or a user"]
    assert len(problems) == 4


def test_a_name_that_contains_that_of_the_user_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "pixe")
    assert checked(tmp_path)["no file names a folder or a user"] == ()


@pytest.mark.parametrize("data", [pack_predictions([0] * 17, 3), b"no NumPy file"])
def test_predictions_of_another_number_are_found(tmp_path: Path, data: bytes) -> None:
    named = reference("f1.npy", data)
    problems = checked(tmp_path, data, predictions=named.model_dump())["every file is verified"]
    assert set(problems) == {f"{named.sha256}.npy has no prediction for each validation image"}


def test_results_of_an_earlier_version_are_found() -> None:
    folder = ROOT / "leaderboard" / "results" / "cifar10-mini"
    failed = {
        check.name: check.problems
        for check in checks_of(read_exported(folder), folder, [folder.name], [])
        if check.problems
    }
    assert failed == {"results have the keys of this version": ("143 results have keys of an earlier version",)}


def test_a_check_is_one_line_with_its_fix() -> None:
    assert Check("it holds", (), "mend it").line == "ok: it holds"
    failed = Check("it holds", ("a", "b", "c", "d", "e"), "mend it")
    assert failed.line == "failed: it holds: a, b, c and 2 more; mend it"


def test_the_verb_lays_out_what_a_pull_request_needs(tmp_path: Path) -> None:
    folder, to = tmp_path / "out", tmp_path / "submission"
    export_results(stored(tmp_path, only("first"), lineage=[ORIGIN]), folder)
    ended = ddbench("submit", str(folder), "--to", str(to))
    assert ended.returncode == 1, "the suite is not one of ddbench"
    assert [line for line in ended.stderr.splitlines() if line.startswith("failed")] == [
        "failed: the suite is in ddbench: there is no suite 'keys'; add its file to `suites/` in the same pull request"
    ]
    assert len(ended.stderr.splitlines()) == len(NAMES)
    assert contents(to / "leaderboard" / "results" / "keys") == contents(folder)
    page = ddbench("report", str(folder), "--to", str(tmp_path / "page.md"))
    assert page.returncode == 0, page.stderr
    assert (to / "leaderboard" / "keys.md").read_text() == (tmp_path / "page.md").read_text()
    text = (to / "PULL_REQUEST.md").read_text()
    assert "4 results of 1 rows on dots" in text
    assert str(tmp_path) not in text
    before = text
    assert ddbench("submit", str(folder), "--to", str(to)).returncode == 1
    assert (to / "PULL_REQUEST.md").read_text() == before
