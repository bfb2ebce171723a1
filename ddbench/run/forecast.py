"""Forecast the rest of a run from the plan's timings and from the nodes that this run has finished."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ddbench.plan import STAGES, State
from ddbench.plan.estimate.devices import LAUNCHES
from ddbench.plan.estimate.estimate import PartialSum, node_seconds
from ddbench.plan.estimate.timings import Timings
from ddbench.plan.estimate.work import Workload
from ddbench.toolkit.hardware import Device


@dataclass
class _Pace:
    """Measured and estimated times of some nodes.

    Attributes:
        nodes: their number.
        seconds: the time that they took.
        planned: the time that the plan estimates; None if that of one is unknown.
    """

    nodes: int = 0
    seconds: float = 0.0
    planned: float | None = 0.0

    def add(self, seconds: float, planned: float | None) -> None:
        """Add a node."""
        self.nodes += 1
        self.seconds += seconds
        self.planned = None if planned is None or self.planned is None else self.planned + planned

    def ratio(self) -> float:
        """Return measured by estimated time; 1 if nothing is estimated."""
        return self.seconds / self.planned if self.planned else 1.0


@dataclass(frozen=True)
class Progress:
    """The progress of a running node.

    Attributes:
        spent: the seconds since its start.
        share: the share of its steps that are done, if it tells; else 0.
    """

    spent: float
    share: float = 0.0


class Forecast:
    """A forecast of the time that a run still needs.

    A node takes as long as the plan estimates, times the ratio of measured to estimated time of nodes of its kind. If
    this run has finished none, those of its stage decide, and else all nodes. A running node that tells its progress is
    taken at its own pace.

    Args:
        state: the state of the plan.
        device: the device of the run.
        width: number of nodes that run in parallel.
    """

    def __init__(self, state: State, device: Device, width: int) -> None:
        self._nodes = state.graph.nodes
        self._work = Workload(state)
        self._timings = Timings(state, self._work)
        self._device = device
        self._width = width
        self._plan: dict[str, tuple[float | None, bool]] = {}
        self._finished: dict[str, _Pace] = {}

    def finished(self, key: str, seconds: float) -> None:
        """Take into account the measured time of a node."""
        planned, _ = self._planned(key)
        for group in self._groups(key):
            self._finished.setdefault(group, _Pace()).add(seconds, planned)

    def left(self, keys: Iterable[str], running: Mapping[str, Progress]) -> PartialSum:
        """Return the seconds until nodes have ended, which is at least the time of the longest of them.

        Args:
            keys: the nodes.
            running: the running nodes.
        """
        work, longest, pace = PartialSum(), 0.0, self._pace(running)
        for key in keys:
            now = running.get(key, Progress(0))
            seconds, least = self._expected(key, pace)
            if now.share:
                seconds, least = now.spent * (1 / now.share - 1), False
            elif seconds is not None:
                seconds = max(0.0, seconds - now.spent)
            longest = max(longest, seconds or 0.0)
            work.add(seconds, least=least)
        if work.known is not None:
            work.known = max(longest, work.known / self._width)
        return work

    def _groups(self, key: str) -> tuple[str, str]:
        return self._work.of(key).kind, self._nodes[key].stage

    def _pace(self, running: Mapping[str, Progress]) -> float:
        """Return measured by estimated time over the finished stages and the running nodes, where both are known."""
        all_of = _Pace()
        for stage in STAGES:
            found = self._finished.get(stage)
            if found and found.planned:
                all_of.add(found.seconds, found.planned)
        for key, now in running.items():
            planned, _ = self._planned(key)
            if now.share and planned:
                all_of.add(now.spent / now.share, planned)
        return all_of.ratio()

    def _planned(self, key: str) -> tuple[float | None, bool]:
        """Return the seconds that the plan estimates, and whether they are a lower bound."""
        if key not in self._plan:
            work = self._work.of(key)
            seconds, basis = node_seconds(self._nodes[key], work, self._timings, self._device)
            if seconds is None and work.cost.flops == 0:
                seconds = 0.0  # it only chooses or copies
            self._plan[key] = seconds, basis == LAUNCHES
        return self._plan[key]

    def _expected(self, key: str, pace: float) -> tuple[float | None, bool]:
        """Return the seconds of a node after what this run has measured, and whether they are a lower bound."""
        planned, least = self._planned(key)
        for found in (self._finished.get(group) for group in self._groups(key)):
            if found and planned and found.planned:
                return planned * found.ratio(), False
            if found:
                return found.seconds / found.nodes, False
        return (None if planned is None else planned * pace), least
