"""Report a run to its observers. An error in an observer never stops the run."""

from __future__ import annotations

import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import redirect_stdout, suppress
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Self

from ddbench import __version__
from ddbench.api.observer import ObservedNode, ObservedRun, Observer, RunSummary
from ddbench.errors import DdbenchError, StoreError
from ddbench.plan import STAGES, State
from ddbench.registry import catalogue
from ddbench.registry.blame import describe
from ddbench.run.job import Job
from ddbench.suite import Cell, ResolvedSuite

_TOLD_S, _TOLD_SHARE = 1.0, 0.01


@dataclass
class Chosen:
    """An observer that the user chose.

    Attributes:
        title: its name and package for display.
        observer: the observer.
        seconds: the time spent in it.
    """

    title: str
    observer: Observer
    seconds: float


def choose_observers(texts: Iterable[str]) -> list[Chosen]:
    """Make the observers that a user names, each as ``NAME`` or ``NAME=TARGET``.

    Raises:
        DdbenchError: no observer has this name, or one cannot start.
    """
    return [_make(*text.partition("=")[::2]) for text in texts]


def _make(name: str, target: str) -> Chosen:
    cls, package = catalogue().observer(name)
    title, began = f"observer '{name}' ({package})", time.monotonic()
    try:
        with redirect_stdout(sys.stderr):
            observer = cls(target)
    except (DdbenchError, KeyboardInterrupt):
        raise
    except BaseException as error:  # such as exit()
        raise DdbenchError(f"{title} cannot start: {_place(cls, error)}") from None
    return Chosen(title, observer, time.monotonic() - began)


def _place(cls: type[Observer], error: BaseException) -> str:
    """Return place, type and message of an error in an observer."""
    try:
        return describe(error, {cls.__module__.partition(".")[0]})
    except Exception:  # in its text
        return type(error).__name__


class Observation:
    """The observers of one run, and the reports of the driver to them.

    Args:
        chosen: the observers.
        name: the name of the run.
        suite: the suite.
        state: the state of the plan.
        tell: tells the user a line.
    """

    def __init__(
        self, chosen: Sequence[Chosen], name: str, suite: ResolvedSuite, state: State, tell: Callable[[str], None]
    ) -> None:
        self._chosen = chosen
        self._active = list(chosen)
        self._state = state
        self._tell = tell
        about = {"name": name, "suite": suite.name, "dataset": suite.dataset.label, "store": str(state.store.root)}
        nodes, cells = len(state.graph.nodes), len(state.graph.cells)
        self._run = ObservedRun(**about, nodes=nodes, cells=cells, version=__version__)
        self._cells: defaultdict[str, list[Cell]] = defaultdict(list)  # by action key
        self._without_key = list(state.graph.cells)
        self._ran: Counter[str] = Counter()
        self._failures: list[tuple[str, str]] = []
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._each(Observer.run_started, self._run)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        how, message = ("ended", "") if error is None else ("stopped", str(error))
        if isinstance(error, KeyboardInterrupt):
            how, message = "interrupted", ""
        seconds = time.monotonic() - self._began
        self._each(Observer.run_ended, RunSummary(how, message, seconds, dict(self._ran), tuple(self._failures)))
        seconds = time.monotonic() - self._began
        for one in self._chosen:
            if one.seconds > min(_TOLD_S, _TOLD_SHARE * seconds):
                self._tell(f"{one.title} took {one.seconds:.2f} s; the run took {seconds:.2f} s")

    def started(self, job: Job) -> None:
        """Report that a node has started."""
        if self._active:
            self._each(Observer.node_started, self._node(job))

    def done(self, job: Job) -> None:
        """Report that a node has ended, with its record."""
        self._ran[job.stage] += 1
        record = None
        with suppress(StoreError):  # if it is damaged, the driver finds that and makes it again
            record = self._record(job) if self._active else None
        if record is not None:
            self._each(Observer.node_done, self._node(job), record)

    def failed(self, job: Job, message: str) -> None:
        """Report that a node has failed."""
        self._failures.append((f"{job.stage} {job.label}", message))
        if self._active:
            self._each(Observer.node_failed, self._node(job), message)

    def _node(self, job: Job) -> ObservedNode:
        if not STAGES[job.stage].makes_result:
            return ObservedNode(job.action_key, job.stage, job.label)
        waiting, self._without_key = self._without_key, []
        for cell, key in waiting:
            action_key = self._state.action_keys.get(key)
            if action_key is None:
                self._without_key.append((cell, key))
            else:
                self._cells[action_key].append(cell)
        cells = tuple(cell.describe() for cell in self._cells[job.action_key])
        return ObservedNode(job.action_key, job.stage, job.label, cells)

    def _record(self, job: Job) -> dict[str, Any] | None:
        """Return the record of a training or the manifest of another output; None if there is none."""
        if STAGES[job.stage].makes_result:
            return next((record.to_json() for record in self._state.store.results(job.action_key)), None)
        manifest = self._state.store.manifest(job.action_key)
        return None if manifest is None else manifest.to_json()

    def _each(self, method: Callable[..., None], *values: Any) -> None:
        """Call a method of each observer with copies of the values. Leave out one that raises an error."""
        for one in list(self._active):
            began = time.monotonic()
            try:
                with redirect_stdout(sys.stderr):  # stdout is for results
                    getattr(one.observer, method.__name__)(*deepcopy(values))
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # such as exit()
                self._active.remove(one)
                place = f"{type(one.observer).__name__}.{method.__name__}: {_place(type(one.observer), error)}"
                self._tell(f"{one.title} failed in {place}; the run continues without it")
            finally:
                one.seconds += time.monotonic() - began
