"""A small suite, and runs of it that observers of a test follow."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ddbench import ObservedNode, ObservedRun, Observer, RunSummary
from ddbench.registry import catalogue
from ddbench.run import Outcome, run_suite
from ddbench.run.progress import Lines
from ddbench.suite import load_suite
from tests.in_process import InProcessExecutor

# Both rows choose the only sample of each class in the pool, so they share their trainings.
SUITE = """\
suite: watched
dataset: dots
protocol: smoke@1
evaluator: {use: nearest-mean}
ipc: [1]
students: [pixels]
seeds: {generation: [0], selection: [0], training: [0, 1]}
methods:
  First: {generator: real, selector: first, pool: 1}
  Random: {generator: real, selector: random, pool: 1}
"""
STAGES = {"dataset": 1, "generate": 1, "select": 2, "distill": 1, "evaluate": 2}


class Recorder(Observer):
    """Keep what is told."""

    name = "recorder"

    def __init__(self, target: str = "") -> None:
        super().__init__(target)
        self.told: list[tuple[Any, ...]] = []
        type(self).last = self

    def run_started(self, run: ObservedRun) -> None:
        self.told.append(("run_started", run))

    def node_started(self, node: ObservedNode) -> None:
        self.told.append(("node_started", node))

    def node_done(self, node: ObservedNode, record: dict[str, Any]) -> None:
        self.told.append(("node_done", node, record))

    def node_failed(self, node: ObservedNode, message: str) -> None:
        self.told.append(("node_failed", node, message))

    def run_ended(self, summary: RunSummary) -> None:
        self.told.append(("run_ended", summary))

    @property
    def calls(self) -> list[str]:
        """The name of each call, with the stage of its node."""
        return [" ".join([told[0], *([told[1].stage] if "node" in told[0] else [])]) for told in self.told]


class Followed:
    """A suite in a folder and the observers of its runs.

    Attributes:
        lines: what the last run told its user.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.suite, self.store, self.lines = folder / "watched.yaml", folder / "store", ""
        self.suite.write_text(SUITE)
        self._patch = monkeypatch
        monkeypatch.setattr("ddbench.run.start.LocalExecutor", InProcessExecutor)

    def edit(self, old: str, new: str) -> None:
        """Change the suite."""
        assert old in self.suite.read_text()
        self.suite.write_text(self.suite.read_text().replace(old, new))

    def run(self, *classes: type[Observer]) -> Outcome:
        """Run the suite with observers of some classes."""
        for cls in classes:
            self._patch.setitem(catalogue().observers._known, cls.name, (cls, "tests 1"))
        said = io.StringIO()
        try:
            names = [cls.name for cls in classes]
            return run_suite(load_suite(self.suite), self.store, Lines(Console(file=said)), observers=names)
        finally:
            self.lines = said.getvalue()
