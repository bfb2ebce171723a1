"""A leaderboard on terminals of any width."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from ddbench.report.leaderboard import Leaderboard
from ddbench.report.terminal import show_board
from tests.conftest import Cli
from tests.report.boards import board

WIDE = [(student, ipc) for student in ("convnet3", "resnetap10", "resnet18") for ipc in (1, 10, 50, 100)]


def screen(shown: Leaderboard, width: int, *, full: bool = False) -> list[str]:
    """Return the lines that a terminal shows."""
    out = io.StringIO()
    show_board(shown, Console(file=out, width=width), full=full)
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_the_screen_to_the_letter() -> None:
    shown = replace(board(baseline="C", protocols={"B": "q@1"}), chance=10.0)
    assert screen(shown, 80) == [
        "small · dots · convnet3",
        "top-1 accuracy in % after the last epoch, mean ± sd over 3 training seeds",
        "",
        "method  IPC 10",
        "───────────────────────",
        "p@1",
        "A       41.0 ± 1.0 *+",
        "C       21.0 ± 1.0",
        "D       45.0        ? a",
        "",
        "q@1",
        "B       40.2 ± 1.3  +",
        "",
        "Chance  10.0",
        "",
        " *  highest mean with a rank, of its column and protocol",
        " +  better than C",
        " ?  undecided; the results cannot tell it from C",
        " a  one distilled set, so the spread of sets is unknown; no interval and no rank",
        "",
        "--full adds intervals, verdicts, components and origins",
    ]


def test_columns_that_do_not_fit_follow_below() -> None:
    lines = screen(board(columns=WIDE), 60)
    assert sum(line.startswith("method") for line in lines) > 1
    assert sum(line.count("41.0 ± 1.0 *") for line in lines) == len(WIDE)
    assert " ".join(lines).count("IPC 100") == 3


def test_a_row_without_a_cell_in_a_part_is_left_out_of_it() -> None:
    shown = board(columns=WIDE)
    entries = tuple(e for e in shown.entries if e.method == "A" or (e.student, e.ipc) == ("convnet3", 1))
    parts = "\n".join(screen(replace(shown, entries=entries), 60)).split("method")
    assert ["\nC " in part for part in parts[1:]] == [True, *[False] * (len(parts) - 2)]


@settings(deadline=None, max_examples=40)
@given(
    names=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=120), min_size=1, max_size=4),
    columns=st.lists(st.sampled_from(WIDE), min_size=1, max_size=12, unique=True),
    width=st.integers(40, 200),
    full=st.booleans(),
)
def test_no_line_is_wider_than_the_terminal(
    names: list[str], columns: list[tuple[str, int]], width: int, full: bool
) -> None:
    rows = dict.fromkeys(names, (40.0, 41.0, 42.0))
    lines = screen(board(rows, baseline=names[0], columns=columns), width, full=full)
    assert max(map(cell_len, lines)) <= width


@pytest.mark.parametrize("width", [80, 120])
def test_the_whole_page_has_all_that_markdown_has(width: int) -> None:
    text = " ".join(" ".join(screen(board(baseline="C"), width, full=True)).split())
    for said in ("Against C", "Methods", "All entries", "protocol p@1: Short and hard.", "[38.52, 43.48]"):
        assert said in text


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_terminal_gets_a_table_that_fits_and_a_pipe_gets_markdown(
    cli: Cli, example_suite: Path, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A console of the oldest rich remembers that it was a terminal.
    monkeypatch.setattr("ddbench.cli.output.stderr", Console(stderr=True))
    terminal = {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": str(width)}
    ran = cli("run", str(example_suite), env_extra=terminal).stdout
    for shown in (ran, cli("report", str(example_suite), env_extra=terminal).stdout):
        lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
        assert lines[0].startswith("example · dots · pixels · smoke@1")
        assert max(map(cell_len, lines)) <= width
        assert lines[-1].startswith("--full adds")
    whole = cli("report", str(example_suite), "--full", env_extra=terminal).stdout
    assert "All entries" in whole
    page = cli("report", str(example_suite)).stdout
    assert page.startswith("# example\n")
    assert cli("run", str(example_suite)).stdout == page
    assert cli("report", str(example_suite), "--format", "md", env_extra=terminal).stdout == page
