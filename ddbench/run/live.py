"""Find out what a live run does, from the lock of its store and from its event log."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddbench.errors import StoreError
from ddbench.plan.estimate.estimate import PartialSum
from ddbench.record import Part, parse_part
from ddbench.record.run_record import Amount, Count
from ddbench.run.events import LOG_NAME
from ddbench.run.overview import EVENT
from ddbench.run.progress import time_left
from ddbench.store.lock import Holder, holder
from ddbench.text import coarse, one_line


class _Running(Part):
    stage: str
    label: str
    since: Amount
    done: Count | None
    total: Count | None


class _Overview(Part):
    time: Amount
    total: Count
    left: Count
    seconds: Amount | None
    least: bool
    running: list[_Running]


class _Start(Part):
    time: Amount
    pid: int
    suite: str


@dataclass(frozen=True)
class LiveRunJson:
    """A live run as JSON. The fields are those of ``LiveRun`` and of its holder."""

    pid: int
    suite: str
    since: float | None
    overview: _Overview | None
    failed: int


@dataclass(frozen=True)
class LiveRun:
    """A run that holds the lock of a store.

    Attributes:
        holder: the process and its suite; the suite is ``gc`` or ``verify`` for these verbs.
        since: the time of its start; None if its log does not tell.
        overview: its last overview; None before the first one.
        failed: number of nodes that failed in it.
    """

    holder: Holder
    since: float | None
    overview: _Overview | None
    failed: int

    def lines(self) -> list[str]:
        """Return what a user wants to know, as lines of text."""
        who = f"'{self.holder.suite}' (process {self.holder.pid})"
        if self.since is None:
            return [one_line(f"{who} is using the store")]
        lines = [f"{who} is running since {_clock(self.since)}, for {_ago(self.since)}"]
        if (view := self.overview) is not None:
            left = time_left(PartialSum(view.seconds, int(view.least), 0))
            lines.append(f"{view.total - view.left:,} of {view.total:,} nodes done{left and f', {left}'}")
            lines += [f"  {each.stage:<8} {each.label}{_steps(each)} · for {_ago(each.since)}" for each in view.running]
        if self.failed:
            lines.append(f"{self.failed:,} {'node' if self.failed == 1 else 'nodes'} failed in this run")
        return [one_line(line) for line in lines]

    def to_json(self) -> LiveRunJson:
        """Return the run as a JSON object. Times are seconds of Unix time."""
        pid, suite = self.holder.pid, self.holder.suite
        return LiveRunJson(pid, suite, self.since, self.overview, self.failed)


def live_run(root: Path) -> LiveRun | None:
    """Return the run that holds the lock of a store; None if there is none."""
    held_by = holder(root)
    if held_by is None:
        return None
    folder = max((path.parent for path in (root / "runs").glob(f"*-{held_by.suite}-*/{LOG_NAME}")), default=None)
    since, view, failed = None, None, 0
    for event in () if folder is None else _events(folder / LOG_NAME):
        try:
            if event["event"] == "run":
                start = parse_part(_Start, event, "event")
                if start.pid != held_by.pid:
                    break
                since = start.time
            elif event["event"] == EVENT:
                view = parse_part(_Overview, event, "event")
            else:
                failed += 1
        except (StoreError, KeyError):
            continue
    return LiveRun(held_by, since, view, failed)


def _events(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events that tell about a whole run. Lines that are damaged or half written are skipped."""
    words = tuple(f'"event": "{name}"'.encode() for name in ("run", EVENT, "failed"))
    with path.open("rb") as file:
        for line in file:
            if any(word in line for word in words):
                try:
                    value = json.loads(line)
                except ValueError:
                    continue
                if isinstance(value, dict):
                    yield value


def _steps(running: _Running) -> str:
    return "" if running.done is None else f" · {running.done:,} of {running.total:,}"


def _clock(moment: float) -> str:
    """Return a time of day here, with the date unless it is today."""
    then = time.localtime(moment)
    return time.strftime("%H:%M" if then[:3] == time.localtime()[:3] else "%Y-%m-%d %H:%M", then)


def _ago(moment: float) -> str:
    return coarse(max(0.0, time.time() - moment))
