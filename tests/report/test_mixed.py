"""Exports of two stores: code that differs under one version makes no table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ddbench.errors import StoreError
from ddbench.report import export_results, leaderboard_of, read_exported
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
