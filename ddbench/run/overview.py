"""The overview of a run: how much is done, what is running and how long it will take. The event log keeps it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from typing import Any, Final

from ddbench.plan.estimate.estimate import PartialSum
from ddbench.run.events import EventLog
from ddbench.run.forecast import Forecast, Progress
from ddbench.run.job import Job
from ddbench.run.progress import Reporter, time_left

EVENT: Final = "overview"
# A changed overview is logged and its forecast is renewed after the first time, an unchanged one after the second.
_CHANGED_S: Final = 1.0
_UNCHANGED_S: Final = 30.0
_UNKNOWN: Final = PartialSum(unknown=1)


@dataclass
class Running:
    """A running node.

    Attributes:
        stage: the name of the stage.
        label: its name for display.
        since: the time of its start, in seconds of Unix time.
        done: number of finished steps; None if it has not reported any.
        total: number of its steps; None if it has not reported any.
    """

    stage: str
    label: str
    since: float
    done: int | None = None
    total: int | None = None

    def progress(self) -> Progress:
        """Return its progress until now."""
        return Progress(time.time() - self.since, self.done / self.total if self.done and self.total else 0.0)


class Overview:
    """The counts of a run, for its reporter and its event log.

    The total counts each planned node once and never shrinks. If it grows, the reporter says so.

    Args:
        log: the log of events.
        show: shows progress.
        make_forecast: makes the forecast; called if there is anything to run.
    """

    def __init__(self, log: EventLog, show: Reporter, make_forecast: Callable[[], Forecast]) -> None:
        self.log = log
        self.show = show
        self.total = 0
        self.left = 0
        self._make_forecast = make_forecast
        self._forecast: Forecast | None = None
        self._running: dict[str, tuple[str, Running]] = {}
        self._time = _UNKNOWN
        self._logged_at = float("-inf")
        self._changed = True
        self._told = False

    def started(self, job: Job) -> None:
        """Note that a node runs."""
        self._running[job.action_key] = job.recipe_key, Running(job.stage, job.label, time.time())
        self._changed = True
        self.show.started(job)

    def progress(self, job: Job, done: int, total: int) -> None:
        """Note the progress of a node."""
        _, running = self._running[job.action_key]
        running.done, running.total = done, total
        self.show.progress(job, done, total)

    def ended(self, job: Job, fields: dict[str, Any], how: str, left: Collection[str]) -> None:
        """Note the end of a node, such as ``done`` or ``failed``. ``left`` are the nodes that may still run."""
        del self._running[job.action_key]
        done = how == "done"
        if done and self._forecast is not None:
            self._forecast.finished(job.recipe_key, fields["usage"]["wall_s"])
        self.update(left, ended=int(done))
        self.show.ended(job, fields, how)

    def failed(self, left: Collection[str]) -> None:
        """Note that a node failed, and that the nodes that need it cannot run."""
        fewer = self.left - len(left)
        self.update(left, ended=fewer)
        if fewer > 1:
            self.show.print_line(f"{count(fewer - 1)} not run, because an earlier node failed")

    def update(self, left: Collection[str], ended: int = 0) -> None:
        """Note which nodes may still run, and how many have ended since the last call."""
        more = len(left) - self.left + ended
        if more > 0 and self.total:
            self.show.print_line(f"{count(more)} more to run: their outputs are needed again")
        if more < 0 and not self._told:
            self.show.print_line("nodes with equal inputs run once; each counts as done")
            self._told = True
        self.total += max(0, more)
        self._changed |= len(left) != self.left
        self.left = len(left)
        self._log(left)
        self.show.left(self.left, self.total, time_left(self._time) if left else "")

    def _log(self, left: Collection[str]) -> None:
        """Renew the forecast and log the overview, unless it is too early."""
        now = time.monotonic()
        if not left or now - self._logged_at < (_CHANGED_S if self._changed else _UNCHANGED_S):
            return
        self._forecast = self._forecast or self._make_forecast()
        self._logged_at, self._changed = now, False
        self._time = self._forecast.left(left, {key: running.progress() for key, running in self._running.values()})
        running = [asdict(each) for _, each in self._running.values()]
        known, least = self._time.known, self._time.is_lower_bound
        self.log.add(EVENT, total=self.total, left=self.left, seconds=known, least=least, running=running)


def count(number: int) -> str:
    """Return a number of nodes as text."""
    return f"{number:,} node{'' if number == 1 else 's'}"
