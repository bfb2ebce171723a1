"""The counts of a run, and what ``ddbench status`` reads of them while it goes on."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ddbench.plan.estimate.estimate import PartialSum
from ddbench.run.events import LOG_NAME, EventLog
from ddbench.run.job import Job
from ddbench.run.live import live_run
from ddbench.run.overview import Overview
from ddbench.store import Store
from ddbench.store.lock import run_lock
from tests.conftest import Cli
from tests.run.test_progress import DONE, job


class Told:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.counts: list[tuple[int, int]] = []
        self.times: list[str] = []
        self.lines: list[str] = []

    def left(self, nodes: int, total: int, time: str) -> None:
        self.counts.append((nodes, total))
        self.times.append(time)

    def started(self, job: Job) -> None: ...

    def progress(self, job: Job, done: int, total: int) -> None: ...

    def ended(self, job: Job, fields: dict[str, Any], how: str) -> None:
        self.lines.append(how)

    def print_line(self, message: str) -> None:
        self.lines.append(message)


class Forecasts:
    """A forecast of ten seconds a node."""

    def finished(self, key: str, seconds: float) -> None: ...

    def left(self, keys: list[str], running: object) -> PartialSum:
        return PartialSum(10.0 * len(keys))


def overview(path: Path) -> tuple[Overview, Told]:
    told: Any = Told()
    forecast: Any = Forecasts()
    return Overview(EventLog(path / LOG_NAME), told, lambda: forecast), told


def keys(number: int) -> list[str]:
    return [str(n) for n in range(number)]


def test_nothing_is_left_when_all_nodes_are_done(tmp_path: Path) -> None:
    view, told = overview(tmp_path)
    view.update(keys(2))
    view.update([], ended=2)
    assert told.times == ["about 20 s left", ""]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=20))
def test_the_total_never_shrinks_and_never_grows_without_a_word(lefts: list[int]) -> None:
    view, told = overview(Path("/dev"))
    view._log = lambda left: None  # type: ignore[method-assign]  # these calls are about counts
    for left in lefts:
        lines = len(told.lines)
        before = told.counts[-1][1] if told.counts else 0
        view.update(keys(left))
        nodes, total = told.counts[-1]
        assert nodes == left <= total
        assert total >= before
        assert (total > before > 0) == any("more to run" in line for line in told.lines[lines:])


def test_equal_work_and_work_behind_a_failure_count_as_done_and_are_told(tmp_path: Path) -> None:
    view, told = overview(tmp_path)
    view.update(keys(10))
    view.started(job("a"))
    view.ended(job("a"), DONE, "done", keys(9))
    assert told.lines == ["done"]
    view.started(job("b"))
    view.ended(job("b"), DONE, "done", keys(6))
    assert told.lines[1:] == ["nodes with equal inputs run once; each counts as done", "done"]
    view.started(job("c"))
    view.ended(job("c"), {"message": "no"}, "failed", keys(6))
    view.failed(keys(2))
    assert told.lines[3:] == ["failed", "3 nodes not run, because an earlier node failed"]
    assert told.counts[-1] == (2, 10)


@contextmanager
def going_on(root: Path, suite: str) -> Iterator[Path]:
    """Hold a store as a run of ``suite`` in this process does; yield the folder of the run."""
    folder = root / "runs" / f"20260101T000000.000000-{suite}-abcd"
    folder.mkdir(parents=True)
    with run_lock(root, suite, lambda holder: None):
        yield folder


def test_status_shows_a_run_that_goes_on(cli: Cli, example_suite: Path, tmp_path: Path) -> None:
    root = Store.open(tmp_path / ".ddbench").root
    assert "no run is using" in cli("status", str(example_suite)).stdout
    with going_on(root, "example") as folder:
        log = EventLog(folder / LOG_NAME)
        log.add("run", suite="example", nodes=10, cells=3)
        view, _ = overview(folder)
        view.started(job(label="a [/b] \x1b[31m"))
        view.progress(job(label="a [/b] \x1b[31m"), 30, 40)
        view.update(keys(12))
        log.add("failed", stage="fit", action_key="x", message="no")
        (folder / LOG_NAME).open("a").write('{"event": "run", broken\n{"event": "overview"}\n')
        lines = cli("status", str(example_suite)).stdout.splitlines()
        state = json.loads(cli("status", str(example_suite), "--json").stdout)["run"]
    assert re.fullmatch(rf"'example' \(process {os.getpid()}\) is running since \d\d:\d\d, for \d+ s", lines[0])
    assert lines[1] == "0 of 12 nodes done, about 2 min left"
    assert re.fullmatch(r"  fit      a \[/b\] \\x1b\[31m · 30 of 40 · for \d+ s", lines[2])
    assert lines[3:5] == ["1 node failed in this run", ""]
    assert (state["overview"]["total"], state["overview"]["seconds"], state["failed"]) == (12, 120.0, 1)
    assert live_run(root) is None


def test_a_store_that_another_verb_holds_is_no_run(tmp_path: Path) -> None:
    root = Store.open(tmp_path / "store").root
    with run_lock(root, "gc", lambda holder: None):
        found = live_run(root)
    assert found is not None
    assert found.lines() == [f"'gc' (process {os.getpid()}) is using the store"]


def test_the_log_of_an_earlier_run_is_not_that_of_the_live_one(tmp_path: Path) -> None:
    root = Store.open(tmp_path / "store").root
    with going_on(root, "example") as folder:
        line = {"time": 1.0, "pid": os.getpid() + 1, "event": "run", "suite": "example"}
        (folder / LOG_NAME).write_text(json.dumps(line) + "\n")
        found = live_run(root)
    assert found is not None
    assert found.since is None


def test_a_real_run_logs_what_status_needs(cli: Cli, example_suite: Path, tmp_path: Path) -> None:
    assert cli("run", str(example_suite)).returncode == 0
    (log,) = (tmp_path / ".ddbench" / "runs").glob(f"*/{LOG_NAME}")
    views = [event for line in log.read_text().splitlines() if (event := json.loads(line))["event"] == "overview"]
    assert views[0]["total"] == views[-1]["total"] >= views[-1]["left"] > 0
