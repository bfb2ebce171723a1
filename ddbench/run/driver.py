"""The driver of a run: plans, hands nodes to an executor, records what happens, and can be killed at any time."""

from __future__ import annotations

import os
import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ddbench.errors import DdbenchError
from ddbench.plan import Graph, State, build_graph
from ddbench.plan.missing import missing_here
from ddbench.run.events import EventLog
from ddbench.run.executors.base import Answer, Executor
from ddbench.run.job import Job, make_job
from ddbench.run.progress import Reporter
from ddbench.run.scheduler import Scheduler
from ddbench.store import CorruptError, Store
from ddbench.suite import ResolvedSuite
from ddbench.toolkit.files import write_sealed

# A node whose worker dies so often is given up: something kills it each time.
ATTEMPTS = 3
_POLL_S = 0.5


@dataclass
class Outcome:
    """How a run ended.

    Attributes:
        ran: how many nodes of each stage were executed.
        failures: label and message of each failed node.
        user_fault: whether a failure was a mistake in the user's suite, data or plug-in.
        blocked: cells left without a result because something before them failed.
    """

    ran: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, str]] = field(default_factory=list)
    user_fault: bool = False
    blocked: int = 0

    @property
    def exit_code(self) -> int:
        """0 done, 1 some cells failed, 2 some failed through a mistake outside the program."""
        return 2 if self.user_fault else 1 if self.failures else 0


def new_run_folder(store: Store, suite: ResolvedSuite) -> Path:
    """A folder for the log of one run, with the resolved suite in it; sorts by time."""
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{suite.name}-{secrets.token_hex(2)}"
    folder = store.root / "runs" / name
    with store.writing():
        folder.mkdir(parents=True)
        write_sealed(folder / "suite.json", {"file": suite.file, "suite": suite.values})
    return folder


class Driver:
    """Runs one suite on one store."""

    def __init__(self, suite: ResolvedSuite, store: Store, executor: Executor, log: EventLog, show: Reporter) -> None:
        self.suite = suite
        self.store = store
        self.executor = executor
        self.log = log
        self.show = show
        self.graph: Graph = build_graph(suite)
        self.state = State(self.graph, store)
        self.outcome = Outcome()
        self._attempts: Counter[str] = Counter()

    def run(self) -> Outcome:
        """Run until every cell has a result or cannot have one.

        Raises:
            DdbenchError: a fault that must stop the run: a validation image in a pool, a store that cannot be written.
        """
        self.log.add("run", suite=self.suite.name, nodes=len(self.graph.nodes), cells=len(self.graph.cells))
        self._take_away_damaged()
        for line in missing_here(self.state):  # what does not need it is done all the same
            self.show.say(f"to fetch: {line}")
        self.scheduler = Scheduler(self.graph, self.state)
        self.executor.prepare(self.scheduler.outstanding)
        while True:
            self._hand_out()
            if self.scheduler.done:
                break
            for answer in self.executor.wait(_POLL_S):
                self._hear(answer)
        self._note_cells()
        self.log.add("end", ran=dict(self.outcome.ran), failed=len(self.outcome.failures))
        return self.outcome

    def _take_away_damaged(self) -> None:
        """Damaged manifests and results are seen while planning: quarantined, and planned again."""
        self.state.resolve_all()
        while self.state.corrupt:
            for key, message in list(self.state.corrupt.items()):
                self._quarantine(self.state.action_keys[key], message)
            self.state.forget(list(self.state.corrupt))
            self.state.resolve_all()

    def _quarantine(self, action_key: str, message: str) -> None:
        target = self.store.quarantine(action_key)
        self.log.add("corrupt", action_key=action_key, message=message)
        self.show.say(f"{message}; kept aside in {target} and made again")

    def _hand_out(self) -> None:
        while (key := self.scheduler.peek()) is not None and self.executor.fits(self.graph.nodes[key].threads):
            self.scheduler.take()
            if key in self.state.corrupt:  # seen only now that its inputs are known
                self._quarantine(self.state.action_keys[key], self.state.corrupt.pop(key))
            job = make_job(self.graph, self.state, key)
            self.show.started(job)
            self.executor.submit(job)
        self.show.total(self.outcome.ran.total() + len(self.outcome.failures) + self.scheduler.outstanding)

    def _hear(self, answer: Answer) -> None:
        job, fields = answer.job, answer.fields
        if answer.kind == "progress":
            self.show.progress(job, fields["done"], fields["total"])
            return
        self.show.ended(job, fields, "done" if answer.kind == "done" else answer.kind)
        if answer.kind == "done":
            self.outcome.ran[job.stage] += 1
            for key in self.scheduler.finished(job.action_key):
                self.store.clear_failure(key)
        elif answer.kind == "corrupt":
            self._remake(job)
        elif answer.kind == "lost":
            self._lost(answer)
        else:
            self._failed(answer)

    def _remake(self, job: Job) -> None:
        """A worker met a damaged input. It may have been taken away since, on another worker's word: look again."""
        lost = []
        for action_key in job.inputs.values():
            try:
                self.store.artifact(action_key).verify()
            except CorruptError as error:
                lost.append(action_key)
                if self.store.holds(action_key):
                    self._quarantine(action_key, str(error))
        self.scheduler.damaged(job.action_key, lost)

    def _lost(self, answer: Answer) -> None:
        """A worker died: its node is tried again, a few times."""
        job = answer.job
        self._attempts[job.action_key] += 1
        self.log.add("lost", stage=job.stage, action_key=job.action_key, message=answer.fields["message"])
        if self._attempts[job.action_key] < ATTEMPTS:
            self.scheduler.put_back(job.action_key)
            return
        message = f"its worker died {ATTEMPTS} times: {answer.fields['message']}"
        fields = {"user": False, "fatal": False, "message": message, "trace": ""}
        self._failed(Answer("failed", job, fields))

    def _failed(self, answer: Answer) -> None:
        job, fields = answer.job, answer.fields
        self.log.add("failed", stage=job.stage, action_key=job.action_key, message=fields["message"])
        self.outcome.failures.append((f"{job.stage} {job.label}", fields["message"]))
        self.outcome.user_fault |= fields["user"]
        for key in self.scheduler.fail(job.action_key):
            record = {"stage": job.stage, "label": job.label, "recipe_key": key, "action_key": job.action_key}
            self.store.put_failure(key, {**record, "message": fields["message"], "trace": fields["trace"]})
        if fields["fatal"]:
            raise DdbenchError(fields["message"])

    def _note_cells(self) -> None:
        """Write, beside each result, which cells it is the result of."""
        for cell, key in self.graph.cells:
            if key not in self.state.results:
                self.outcome.blocked += key not in self.scheduler.failed
                continue
            note: dict[str, Any] = {"suite": self.suite.name, "dataset": self.suite.dataset.label, **cell.describe()}
            self.store.put_cell(self.state.action_keys[key], key, note)


def usable_cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
