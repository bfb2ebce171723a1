"""Every number of the page of findings is in the board that it names."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT

BOARDS = ROOT / "leaderboard"
PAGE = (BOARDS / "findings.md").read_text(encoding="utf-8")
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if "| psr-" in line]


def cells(suite: str) -> list[list[str]]:
    lines = (BOARDS / f"{suite}.md").read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")]


def test_there_is_a_table() -> None:
    assert len(ROWS) == 8


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_difference_is_that_of_its_board(row: list[str]) -> None:
    _, _, suite, first, second, difference, interval = row
    assert any(found[4:8] == [first, second, difference, interval] for found in cells(suite))


def test_other_numbers_are_those_of_their_boards() -> None:
    (undecided,) = (row for row in cells("psr-split-mini") if row[0] == "Pool-Select" and "undecided" in row)
    assert undecided[-2:] == ["8", "1.4"]
    assert "Eight more sets would decide, in 1.4 hours." in PAGE
    over = {row[0]: row[-1] for row in cells("rded-cifar10") if row[3:5] == ["10", "Random"]}
    assert over == {"RDED": "6.8 [4.4, 9.3]", "RDED, 2×2": "-17.6 [-20.4, -14.8]"}
    assert "+6.8 [4.4, 9.3]" in PAGE
    assert "17.6 points [14.8, 20.4]" in PAGE
    (ours,) = {row[7] for row in cells("learnt-cifar10") if row[0] == "DC" and row[-1] == "reproduced"}
    assert re.fullmatch(r"28\.0 ± 0\.3", ours)
    assert "28.0 for one image a class, and 28.3 is published" in PAGE
