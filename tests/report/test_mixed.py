"""Exports of two stores: code that differs under one version makes no table, and inputs that differ are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ddbench.api import sha256_json
from ddbench.errors import StoreError
from ddbench.report.exported import read_exported
from ddbench.report.exporting import export_results
from ddbench.report.leaderboard import leaderboard_of
from ddbench.report.markdown import to_markdown
from tests.report.stores import stored

ORIGIN = {
    "kind": "selector",
    "name": "theirs",
    "version": 3,
    "params": {},
    "code_hash": "a" * 64,
    "package": "theirs",
    "package_version": "1.0",
    "commit": None,
    "dirty": None,
}


def export_both(folder: Path, *origins: dict[str, Any]) -> Path:
    """Export one training seed of two stores each, and return the folder of both."""
    for training, origin in enumerate(origins):
        made = stored(
            folder / str(training), done=lambda cell, own=training: cell.training_seed == own, lineage=[origin]
        )
        export_results(made, folder / "out")
    return folder / "out"


def test_two_codes_under_one_version_are_refused(tmp_path: Path) -> None:
    folder = export_both(tmp_path, ORIGIN, {**ORIGIN, "code_hash": "b" * 64})
    with pytest.raises(StoreError) as raised:
        read_exported(folder)
    assert str(raised.value) == (
        f"{folder}: the files are results of two codes of selector 'theirs', version 3 (aaaaaaaaaaaa and "
        "bbbbbbbbbbbb); export them to two folders, or raise the version of the component"
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({}, {"code_hash": "b" * 64, "version": 4}),
        ({}, {"code_hash": "b" * 64, "name": "another"}),
        ({}, {"code_hash": "b" * 64, "accepted_drift": ["a" * 64]}),
        ({}, {"code_hash": None, "version": None}),
        ({"package": "ddbench"}, {"package": "ddbench", "code_hash": "b" * 64}),
    ],
)
def test_other_differences_are_none(tmp_path: Path, first: dict[str, Any], second: dict[str, Any]) -> None:
    folder = export_both(tmp_path, {**ORIGIN, **first}, {**ORIGIN, **second})
    board = leaderboard_of(read_exported(folder))
    assert {entry.last.n for entry in board.entries if entry.last} == {entry.expected for entry in board.entries}


def test_inputs_with_other_bits_are_told_and_one_result_counts(tmp_path: Path) -> None:
    """Two machines may make one distilled set with other bits, and so another key of one training."""
    one = stored(tmp_path / "one", last=lambda cell: 10.0)
    two = stored(tmp_path / "two", last=lambda cell: 90.0, digest=lambda node: sha256_json([node.recipe_key]))
    for made in (one, two):
        export_results(made, tmp_path / "both")
        told = "results on inputs with different bits" in to_markdown(leaderboard_of(read_exported(tmp_path / "both")))
        assert told == (made is two)
    board, trainings = leaderboard_of(read_exported(tmp_path / "both")), len(one.measured)
    assert board.repeated == trainings == len(two.measured) > 1
    assert f"{trainings} trainings have results on inputs" in to_markdown(board)
    assert {(entry.last.n, entry.expected) for entry in board.entries if entry.last} == {
        (entry.last.n, entry.expected) for entry in leaderboard_of(one).entries if entry.last
    }


def test_one_training_in_two_environments_is_not_told(tmp_path: Path) -> None:
    for fingerprint in ("f1", "f2"):
        export_results(stored(tmp_path / fingerprint, fingerprint=fingerprint), tmp_path / "both")
    assert leaderboard_of(read_exported(tmp_path / "both")).repeated == 0
