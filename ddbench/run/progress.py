"""What a run shows while it goes: bars on a terminal, one line per event elsewhere. All of it on stderr."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from ddbench.run.job import Job

_LABEL_WIDTH = 62
_WORTH_A_LINE_S = 0.5
_STEP_EVERY_S = 60.0


class Reporter(Protocol):
    """Hears what happens in a run."""

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...
    def total(self, nodes: int) -> None:
        """How many nodes are known to have to run; grows as inputs become known."""

    def started(self, job: Job) -> None:
        """A node has been handed to a worker."""

    def progress(self, job: Job, done: int, total: int) -> None:
        """A running node has come so far."""

    def ended(self, job: Job, fields: dict[str, Any], how: str) -> None:
        """A node has ended: ``done``, ``failed`` or ``lost``."""

    def say(self, message: str) -> None:
        """Something the user should know."""


def describe_end(job: Job, fields: dict[str, Any], how: str) -> str:
    """One line on how a node ended."""
    if how == "done":
        accuracy = f" · {fields['accuracy']:.1f} %" if "accuracy" in fields else ""
        return f"{job.stage:<8} {job.label}{accuracy} · {fields['usage']['wall_s']:.1f} s"
    return f"{job.stage:<8} {job.label} · {how}: {fields['message']}"


class Lines:
    """One line per node that ends, and one a minute of a node that takes longer: for logs, pipes and CI."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._total = 0
        self._done = 0
        self._heard: dict[str, float] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        return None

    def total(self, nodes: int) -> None:
        if nodes and not self._total:
            self.say(f"{nodes} {'node' if nodes == 1 else 'nodes'} to run")
        self._total = nodes

    def started(self, job: Job) -> None:
        self._heard[job.action_key] = time.monotonic()

    def progress(self, job: Job, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._heard[job.action_key] >= _STEP_EVERY_S:
            self._heard[job.action_key] = now
            self.say(f"{job.stage:<8} {job.label} · {done} of {total}")

    def ended(self, job: Job, fields: dict[str, Any], how: str) -> None:
        del self._heard[job.action_key]
        self._done += how != "lost"
        self.say(f"[{self._done}/{max(self._total, self._done)}] {describe_end(job, fields, how)}")

    def say(self, message: str) -> None:
        elapsed = time.monotonic() - self._began
        self._console.print(f"{elapsed:6.1f}s {message}", markup=False, highlight=False, soft_wrap=True)


class Bars:
    """A bar for the whole run and one for each running node."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._all = self._progress.add_task("all nodes", total=None)
        self._running: dict[str, TaskID] = {}
        self._ended: Counter[str] = Counter()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._progress.stop()

    def total(self, nodes: int) -> None:
        self._progress.update(self._all, total=max(nodes, self._ended.total()))

    def started(self, job: Job) -> None:
        label = f"{job.stage} {job.label}"
        short = label if len(label) <= _LABEL_WIDTH else f"{label[: _LABEL_WIDTH - 1]}…"
        self._running[job.action_key] = self._progress.add_task(f"  {short}", total=None)

    def progress(self, job: Job, done: int, total: int) -> None:
        self._progress.update(self._running[job.action_key], completed=done, total=total)

    def ended(self, job: Job, fields: dict[str, Any], how: str) -> None:
        self._progress.remove_task(self._running.pop(job.action_key))
        if how != "lost":
            self._ended[how] += 1
            self._progress.update(self._all, completed=self._ended.total())
        if how != "done" or fields["usage"]["wall_s"] >= _WORTH_A_LINE_S:
            self.say(describe_end(job, fields, how))

    def say(self, message: str) -> None:
        self._console.print(message, markup=False, highlight=False)


def reporter(console: Console) -> Reporter:
    """Bars where someone watches, lines elsewhere."""
    return Bars(console) if console.is_terminal else Lines(console)
