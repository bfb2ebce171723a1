"""Show the progress of a run on stderr: bars on a terminal, else one line per event."""

from __future__ import annotations

import time
from typing import Any, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column

from ddbench.plan.estimate.estimate import PartialSum
from ddbench.run.job import Job
from ddbench.text import coarse, counted, one_line

_ALL = "all nodes"
_WORTH_A_LINE_S = 0.5
_STEP_EVERY_S = 60.0


class Reporter(Protocol):
    """A receiver of the events of a run."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...
    def left(self, nodes: int, total: int, time: str) -> None:
        """Show how many nodes of ``total`` are left, and for how long they run. It is called all the time."""

    def started(self, job: Job) -> None:
        """Show that a worker runs a node."""

    def progress(self, job: Job, done: int, total: int) -> None:
        """Show the progress of a running node."""

    def waiting(self) -> None:
        """Show which nodes still run, if nothing was shown of them for long. It is called all the time."""

    def ended(self, job: Job, fields: dict[str, Any], how: str) -> None:
        """Show that a node has ended: ``done``, ``failed`` or ``lost``."""

    def print_line(self, message: str) -> None:
        """Print a message to the user."""


def describe_end(job: Job, fields: dict[str, Any], how: str) -> str:
    """Return one line about the end of a node."""
    if how == "done":
        accuracy = f" · {fields['accuracy']:.1f} %" if "accuracy" in fields else ""
        note = f" · {fields['note']}" if "note" in fields else ""
        return f"{job.stage:<8} {job.label}{accuracy} · {fields['usage']['wall_s']:.1f} s{note}"
    return f"{job.stage:<8} {job.label} · {how}: {fields['message']}"


def time_left(seconds: PartialSum) -> str:
    """Return a forecast as text, such as ``about 5 min left``; empty if next to nothing is known."""
    if seconds.known is None or (seconds.is_lower_bound and seconds.known < 1):
        return ""
    return f"{'more than' if seconds.is_lower_bound else 'about'} {coarse(seconds.known)} left"


class Lines:
    """A reporter for logs, pipes and CI: one line for each finished node, and one per minute for a long node."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._left = 0
        self._total = 0
        self._time = ""
        self._last_line: dict[str, float] = {}
        self._running: dict[str, tuple[Job, float]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def left(self, nodes: int, total: int, time: str) -> None:
        """Print the number of nodes once."""
        if nodes and not self._total:
            self.print_line(f"{counted(nodes, 'node')} to run{f', {time}' if time else ''}")
        self._left, self._total, self._time = nodes, total, time

    def started(self, job: Job) -> None:
        """Note the start of a node."""
        self._last_line[job.action_key] = time.monotonic()
        self._running[job.action_key] = (job, time.monotonic())

    def progress(self, job: Job, done: int, total: int) -> None:
        """Print one line per minute."""
        now = time.monotonic()
        if now - self._last_line[job.action_key] >= _STEP_EVERY_S:
            self._last_line[job.action_key] = now
            self.print_line(f"{job.stage:<8} {job.label} · {done} of {total}")

    def waiting(self) -> None:
        """Print one line per minute for a node that reports no progress."""
        now = time.monotonic()
        for key, (job, began) in self._running.items():
            if now - self._last_line[key] >= _STEP_EVERY_S:
                self._last_line[key] = now
                self.print_line(f"{job.stage:<8} {job.label} · still running after {(now - began) / 60:.0f} min")

    def ended(self, job: Job, fields: dict[str, Any], how: str) -> None:
        """Print one line."""
        del self._last_line[job.action_key], self._running[job.action_key]
        done = f"{self._total - self._left}/{self._total}"
        self.print_line(f"[{done}{f', {self._time}' if self._time else ''}] {describe_end(job, fields, how)}")

    def print_line(self, message: str) -> None:
        """Print a message after the elapsed seconds."""
        elapsed = time.monotonic() - self._began
        self._console.print(one_line(f"{elapsed:6.1f}s {message}"), markup=False, highlight=False, soft_wrap=True)


class Bars:
    """A reporter for terminals: one bar for the whole run and one for each running node."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True)),
            BarColumn(bar_width=max(6, min(24, console.width // 8))),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            expand=True,
        )
        self._all = self._progress.add_task(_ALL, total=None)
        self._running: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._progress.stop()

    def left(self, nodes: int, total: int, time: str) -> None:
        """Advance the bar of the whole run."""
        description = f"{_ALL} · {time}" if time else _ALL
        self._progress.update(self._all, completed=total - nodes, total=total, description=description)

    def started(self, job: Job) -> None:
        """Add a bar for a node."""
        self._running[job.action_key] = self._progress.add_task(f"  {job.stage} {one_line(job.label)}", total=None)

    def progress(self, job: Job, done: int, total: int) -> None:
        """Advance the bar of a node."""
        self._progress.update(self._running[job.action_key], completed=done, total=total)

    def waiting(self) -> None:
        """Do nothing: bars show the elapsed time."""

    def ended(self, job: Job, fields: dict[str, Any], how: str) -> None:
        """Remove the bar of a node. Print one line if it took long or did not succeed."""
        self._progress.remove_task(self._running.pop(job.action_key))
        if how != "done" or "note" in fields or fields["usage"]["wall_s"] >= _WORTH_A_LINE_S:
            self.print_line(describe_end(job, fields, how))

    def print_line(self, message: str) -> None:
        """Print a message above the bars."""
        self._console.print(one_line(message), markup=False, highlight=False)


def reporter(console: Console) -> Reporter:
    """Return bars for a terminal, else lines."""
    return Bars(console) if console.is_terminal else Lines(console)
