"""The output of a run, with and without a terminal."""

from __future__ import annotations

import io
import re

import pytest
from rich.cells import cell_len
from rich.console import Console

from ddbench.plan import Inputs
from ddbench.plan.estimate.estimate import PartialSum
from ddbench.run import progress
from ddbench.run.job import Job
from ddbench.run.progress import Bars, Lines, reporter, time_left

DONE = {"usage": {"wall_s": 3.0}}


def job(key: str = "a" * 8, label: str = "minimax") -> Job:
    return Job(
        action_key=key,
        recipe_key=key,
        stage="fit",
        label=label,
        uses={},
        settings={},
        worker_args={},
        inputs=Inputs(),
        recipe={},
        input_digests=Inputs(),
        provenance={},
        lineage=[],
        threads=1,
    )


class Clock:
    """Stands in for ``time``: moves only when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_a_log_says_at_once_how_much_there_is_to_do(clock: Clock) -> None:
    out = io.StringIO()
    lines = Lines(Console(file=out))
    lines.started(job())
    lines.left(3, 3, "about 5 min left")
    lines.left(2, 3, "about 4 min left")  # no news
    assert out.getvalue() == "   0.0s 3 nodes to run, about 5 min left\n"


def test_nothing_to_run_is_not_announced(clock: Clock) -> None:
    out = io.StringIO()
    Lines(Console(file=out)).left(0, 0, "")
    assert out.getvalue() == ""


def test_a_log_has_a_line_a_minute_of_a_long_node(clock: Clock) -> None:
    out = io.StringIO()
    lines = Lines(Console(file=out))
    lines.started(job())
    for step in range(13):  # a step every ten seconds
        lines.progress(job(), step, 12)
        clock.now += 10
    lines.left(1, 2, "about 5 min left")
    lines.ended(job(), DONE, "done")
    assert out.getvalue().splitlines() == [
        "  60.0s fit      minimax · 6 of 12",
        " 120.0s fit      minimax · 12 of 12",
        " 130.0s 1 node to run, about 5 min left",
        " 130.0s [1/2, about 5 min left] fit      minimax · 3.0 s",
    ]


def test_each_running_node_of_a_log_has_its_own_minute(clock: Clock) -> None:
    out = io.StringIO()
    lines = Lines(Console(file=out))
    lines.started(job("a", "one"))
    clock.now = 30
    lines.started(job("b", "two"))
    clock.now = 70
    for key, label in (("a", "one"), ("b", "two")):
        lines.progress(job(key, label), 5, 9)
    assert out.getvalue() == "  70.0s fit      one · 5 of 9\n"


def test_a_node_that_was_lost_and_tried_again_counts_once(clock: Clock) -> None:
    out = io.StringIO()
    lines = Lines(Console(file=out))
    lines.started(job())
    lines.left(1, 1, "")
    lines.ended(job(), {"message": "its worker died"}, "lost")
    lines.started(job())
    lines.left(0, 1, "")
    lines.ended(job(), DONE, "done")
    assert [line.split("s ", 1)[1] for line in out.getvalue().splitlines()] == [
        "1 node to run",
        "[0/1] fit      minimax · lost: its worker died",
        "[1/1] fit      minimax · 3.0 s",
    ]


def test_bars_are_for_a_terminal_and_lines_for_all_else() -> None:
    assert isinstance(reporter(Console(file=io.StringIO(), force_terminal=True)), Bars)
    assert isinstance(reporter(Console(file=io.StringIO(), force_terminal=False)), Lines)


def test_bars_leave_the_nodes_that_took_a_while_and_all_that_failed() -> None:
    out = io.StringIO()
    with Bars(Console(file=out, force_terminal=True, width=120)) as bars:
        for key, fields, how in (
            ("slow", DONE, "done"),
            ("quick", {"usage": {"wall_s": 0.1}}, "done"),
            ("wrong", {"message": "no such file"}, "failed"),
        ):
            bars.started(job(key, key))
            bars.left(2, 3, "about 5 min left")
            bars.progress(job(key, key), 1, 2)
            bars.ended(job(key, key), fields, how)
    screen = re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", out.getvalue()).replace("\r", "\n").splitlines()
    assert "fit      slow · 3.0 s" in screen
    assert "fit      wrong · failed: no such file" in screen
    assert not any(line.startswith("fit      quick") for line in screen)
    assert any(line.startswith("all nodes · about 5 min left") and "1/3" in line for line in screen)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_bars_fit_the_terminal(width: int) -> None:
    out = io.StringIO()
    with Bars(Console(file=out, force_terminal=True, width=width)) as bars:
        bars.left(99_999, 100_000, "about 12 h 30 min left")
        bars.started(job(label="minimax " * 30))
        bars.progress(job(), 12_345, 100_000)
    lines = re.sub("\x1b\\[[0-9;?]*[a-zA-Z]", "", out.getvalue()).replace("\r", "\n").splitlines()
    assert any("100000" in line for line in lines)
    assert max(map(cell_len, lines)) <= width


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (PartialSum(), ""),
        (PartialSum(0.2, unknown=3), ""),
        (PartialSum(200.0, unknown=3), "more than 3 min left"),
        (PartialSum(0.2), "about 1 s left"),
        (PartialSum(89.0), "about 89 s left"),
        (PartialSum(12000.0), "about 3 h 20 min left"),
        (PartialSum(7200.0), "about 2 h left"),
        (PartialSum(400000.0), "about 5 days left"),
    ],
)
def test_the_time_left_is_told_coarsely(seconds: PartialSum, text: str) -> None:
    assert time_left(seconds) == text
