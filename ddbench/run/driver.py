"""The driver of a run: it plans, submits nodes to an executor, and logs events. It can be killed at any time."""

from __future__ import annotations

import secrets
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ddbench.errors import ComponentError, DdbenchError, StoreError
from ddbench.plan import Exports, Graph, State, build_graph
from ddbench.plan.drift import Drift, code_changes, drifted
from ddbench.plan.estimate.estimate import disk_left
from ddbench.plan.missing import missing_here
from ddbench.plan.seeds import seeds_without_effect
from ddbench.run.events import EventLog
from ddbench.run.executors.base import Answer, Executor
from ddbench.run.forecast import Forecast
from ddbench.run.job import make_job
from ddbench.run.observation import Chosen, Observation
from ddbench.run.overview import Overview
from ddbench.run.progress import Reporter
from ddbench.run.scheduler import Scheduler
from ddbench.store import CorruptError, Failure, Store
from ddbench.suite import ResolvedSuite
from ddbench.toolkit.files import write_sealed
from ddbench.toolkit.hardware import Device

# After so many deaths of its worker without progress, a node counts as failed.
ATTEMPTS = 3
_POLL_S = 0.5


@dataclass
class Outcome:
    """The outcome of a run.

    Attributes:
        state: what is stored of the plan, as the run has seen it.
        ran: number of executed nodes by stage.
        failures: label and message of each failed node.
        user_fault: True if a failure was caused by the suite, the data or a plug-in.
        blocked: number of cells without a result because an earlier node failed.
    """

    state: State
    ran: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, str]] = field(default_factory=list)
    user_fault: bool = False
    blocked: int = 0

    @property
    def exit_code(self) -> int:
        """The exit code: 0 done, 1 some nodes failed, 2 some nodes failed because of the suite, data or plug-in."""
        return 2 if self.user_fault else 1 if self.failures else 0


def new_run_folder(store: Store, suite: ResolvedSuite) -> Path:
    """Create the folder for one run's logs, with a copy of the suite. The names of such folders sort by time."""
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{suite.name}-{secrets.token_hex(2)}"
    folder = store.root / "runs" / name
    with store.writing():
        folder.mkdir(parents=True)
        write_sealed(folder / "suite.json", {"run": name, "file": suite.file, "suite": suite.values})
    return folder


class Driver:
    """The driver of one suite on one store.

    Attributes:
        suite: the suite.
        store: the store.
        executor: runs the nodes.
        log: the log of events.
        show: shows progress.
        graph: the plan.
        state: the state of the plan.
        outcome: the outcome so far.
        overview: the counts and the forecast.
        observation: reports the run to its observers.
        accepted: changes of code under one version that the user accepted.
    """

    def __init__(
        self,
        suite: ResolvedSuite,
        store: Store,
        executor: Executor,
        log: EventLog,
        show: Reporter,
        device: Device,
        exports: Exports | None = None,
        observers: Sequence[Chosen] = (),
    ) -> None:
        self.suite = suite
        self.store = store
        self.executor = executor
        self.log = log
        self.show = show
        self.graph: Graph = build_graph(suite)
        self.state = State(self.graph, store, exports)
        self.outcome = Outcome(self.state)
        self.overview = Overview(log, show, lambda: Forecast(self.state, device, executor.width))
        run = log.path.parent.name
        self.observation = Observation(observers, run, suite, self.state, lambda line: show.print_line(line))
        self.accepted: list[Drift] = []
        self._attempts: Counter[str] = Counter()
        self._damaged: Counter[str] = Counter()
        self._kept: dict[str, frozenset[tuple[str, int]]] = {}
        self._warnings: set[str] = set()

    def run(self, accept_drift: Sequence[str] = ()) -> Outcome:
        """Run until every cell has a result or cannot have one.

        Args:
            accept_drift: components whose stored outputs are used although their code has changed.

        Raises:
            ComponentError: a released component has other code than when it made stored outputs.
            DdbenchError: the run must stop: a pool has a validation image, or the store cannot be written.
        """
        self.log.add("run", suite=self.suite.name, nodes=len(self.graph.nodes), cells=len(self.graph.cells))
        self._quarantine_damaged()
        self._check_drift(accept_drift)
        self._check_disk()
        for line in (*self.state.sources(), *code_changes(self.state)):
            self.show.print_line(line)
        for line in missing_here(self.state):  # nodes that do not need it still run
            self.show.print_line(f"to fetch: {line}")
        self.scheduler = Scheduler(self.graph, self.state)
        self.executor.prepare(len(self.scheduler.wanted))
        while True:
            self._submit_ready()
            if self.scheduler.done:
                break
            for answer in self.executor.wait(_POLL_S):
                self._handle(answer)
            self.show.waiting()
            if self.suite.time_limit is not None:
                self.executor.stop_overdue(self.suite.time_limit)
        self._check_drift(accept_drift)  # outputs whose inputs were not known before
        for line in seeds_without_effect(self.state):
            self.show.print_line(line)
        self._note_cells()
        self.log.add("end", ran=dict(self.outcome.ran), failed=len(self.outcome.failures))
        return self.outcome

    def _check_drift(self, accept: Sequence[str]) -> None:
        """Record accepted drift. Raise ComponentError for any other."""
        for drift in drifted(self.state):
            if not drift.is_named(accept):
                raise ComponentError(drift.problem, hint=drift.remedy)
            if drift not in self.accepted:
                self.accepted.append(drift)
                self.log.add("drift accepted", **asdict(drift))
                self.show.print_line(f"accepted: {drift.problem}")

    def _check_disk(self) -> None:
        """Raise StoreError if the disk has less free space than the plan needs."""
        needed, free = disk_left(self.state), shutil.disk_usage(self.store.root).free
        if needed > free:
            raise StoreError(
                f"the run will store about {needed / 2**30:.1f} GiB, and {free / 2**30:.1f} GiB are free",
                where=str(self.store.root),
                hint="free space with `ddbench gc`, or choose another folder with --store",
            )

    def _quarantine_damaged(self) -> None:
        """Quarantine damaged manifests and results, and look up their nodes again."""
        self.state.resolve_all()
        while self.state.corrupt:
            damaged = {self.state.action_keys[key]: message for key, message in self.state.corrupt.items()}
            for action_key, message in damaged.items():
                self._quarantine(action_key, message)
            self.state.forget(list(self.state.corrupt))
            self.state.resolve_all()

    def _quarantine(self, action_key: str, message: str) -> None:
        target = self.store.quarantine(action_key)
        self.log.add("corrupt", action_key=action_key, message=message)
        self.show.print_line(f"{message}; moved to {target} and made again")

    def _submit_ready(self) -> None:
        while (key := self.scheduler.peek()) is not None and self.executor.fits(self.graph.nodes[key].threads):
            self.scheduler.take()
            job = make_job(self.graph, self.state, key, self.accepted)
            if key in self.state.corrupt:  # it was looked up only after its inputs were made
                message = self.state.corrupt.pop(key)
                self._quarantine(job.action_key, message)
                self._damaged[job.action_key] += 1
                if self._damaged[job.action_key] >= ATTEMPTS:
                    self._failed(Answer.failure(job, f"its stored output was damaged {ATTEMPTS} times: {message}"))
                    continue
            self.overview.started(job)
            self.executor.submit(job)
            self.observation.started(job)
        self.overview.update(self.scheduler.wanted)

    def _handle(self, answer: Answer) -> None:
        job, fields = answer.job, answer.fields
        if answer.kind == "progress":
            self.overview.progress(job, fields["done"], fields["total"])
            return
        if answer.kind == "warning":
            if fields["message"] not in self._warnings:
                self.show.print_line(f"{job.stage:<8} {job.label} · {fields['message']}")
            self._warnings.add(fields["message"])
            return
        if answer.kind == "done":
            self.outcome.ran[job.stage] += 1
            for key in self.scheduler.finished(job.action_key):
                self.store.clear_failure(key)
            self.observation.done(job)
        self.overview.ended(job, fields, answer.kind, self.scheduler.wanted)
        if answer.kind == "corrupt":
            self._remake(answer)
        elif answer.kind == "lost":
            self._lost(answer)
        elif answer.kind == "failed":
            self._failed(answer)

    def _remake(self, answer: Answer) -> None:
        """Quarantine what a job reads and is damaged, and schedule it again. Another job may have done so already."""
        job, lost = answer.job, []
        inputs = set(job.inputs.values())
        for action_key in sorted(inputs.union(job.lineage)):
            try:
                artifact = self.store.artifact(action_key)
                if action_key in inputs:
                    artifact.verify()
            except CorruptError as error:
                lost.append(action_key)
                if self.store.holds(action_key):
                    self._quarantine(action_key, str(error))
        if lost:
            self.scheduler.damaged(job.action_key, lost)
            return
        self._attempts[job.action_key] += 1  # its inputs are whole, or whole again
        if self._attempts[job.action_key] < ATTEMPTS:
            self.scheduler.put_back(job.action_key)
            return
        problem = f"it read damaged files {ATTEMPTS} times, and none of its inputs is damaged"
        self._failed(Answer.failure(job, f"{problem}: {answer.fields['message']}"))

    def _lost(self, answer: Answer) -> None:
        """Schedule the node of a dead worker again, or mark it as failed after several attempts."""
        job = answer.job
        kept = self.store.unfinished(job.action_key)
        if kept != self._kept.get(job.action_key, frozenset()):
            self._attempts[job.action_key] = 0  # the worker made progress
        self._kept[job.action_key] = kept
        self._attempts[job.action_key] += not answer.fields.get("retired", False)
        self.log.add("lost", stage=job.stage, action_key=job.action_key, message=answer.fields["message"])
        if self._attempts[job.action_key] < ATTEMPTS:
            self.scheduler.put_back(job.action_key)
            return
        self._failed(Answer.failure(job, f"its worker died {ATTEMPTS} times: {answer.fields['message']}"))

    def _failed(self, answer: Answer) -> None:
        job, fields = answer.job, answer.fields
        self.log.add("failed", stage=job.stage, action_key=job.action_key, message=fields["message"])
        self.outcome.failures.append((f"{job.stage} {job.label}", fields["message"]))
        self.outcome.user_fault |= fields["user"]
        about = {"action_key": job.action_key, "stage": job.stage, "label": job.label}
        for key in self.scheduler.fail(job.action_key):
            said = {"message": fields["message"], "trace": fields["trace"]}
            self.store.put_failure(Failure(recipe_key=key, **about, **said))
        self.overview.failed(self.scheduler.wanted)
        self.observation.failed(job, fields["message"])
        if fields["fatal"]:
            raise DdbenchError(fields["message"])

    def _note_cells(self) -> None:
        """Store with each result a note on the cells that it belongs to."""
        for cell, key in self.graph.cells:
            if key not in self.state.measured:
                self.outcome.blocked += key not in self.scheduler.failed
                continue
            if key in self.state.borrowed:
                continue
            note: dict[str, Any] = {"suite": self.suite.name, "dataset": self.suite.dataset.label, **cell.describe()}
            self.store.put_cell(self.state.action_keys[key], key, note)
