"""Observers of runs: their base class, and the values that they receive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class ObservedRun:
    """A run that an observer follows.

    Attributes:
        name: the name of the run, which is that of the folder of its logs in the store.
        suite: the name of the suite.
        dataset: the name of the data set.
        store: the store's folder.
        nodes: number of nodes of the plan. Those with stored outputs do not run.
        cells: number of cells.
        version: the version of ddbench.
    """

    name: str
    suite: str
    dataset: str
    store: str
    nodes: int
    cells: int
    version: str


@dataclass(frozen=True)
class ObservedNode:
    """A node of a run that an observer follows.

    Attributes:
        action_key: the key of its output.
        stage: the name of its stage; that of a training is ``evaluate``.
        label: its name for display.
        cells: the cells whose training it is, as in exported files: method, components, protocol, IPC, student and
            seeds. Other stages have none.
    """

    action_key: str
    stage: str
    label: str
    cells: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class RunSummary:
    """The end of a run.

    Attributes:
        how: ``ended``, also if nodes failed; ``interrupted`` by the user; or ``stopped`` by an error.
        message: the error that stopped the run; else empty.
        seconds: wall time of the run.
        ran: number of executed nodes by stage.
        failures: name and message of each failed node.
    """

    how: str
    message: str
    seconds: float
    ran: dict[str, int]
    failures: tuple[tuple[str, str], ...]


class Observer:
    """A follower of runs. ``ddbench run SUITE --observer NAME=TARGET`` chooses it.

    The driver of the run calls its methods one after the other and waits for each. An error in an observer changes no
    run: the run reports it once and continues without the observer. The values are copies. All methods do nothing by
    default.

    Attributes:
        name: the name by which a user chooses it.
        target: the text after ``NAME=``, such as a file or an address; empty if there is none.
    """

    name: ClassVar[str]

    def __init__(self, target: str = "") -> None:
        self.target = target

    def run_started(self, run: ObservedRun) -> None:
        """Follow the start of a run. Nothing has run yet."""

    def node_started(self, node: ObservedNode) -> None:
        """Follow the start of a node. A node whose worker died starts again."""

    def node_done(self, node: ObservedNode, record: dict[str, Any]) -> None:
        """Follow the end of a node.

        Args:
            node: the node.
            record: the JSON of the stored description of the output. A training has its record, as in exported
                files; other stages have their manifest.
        """

    def node_failed(self, node: ObservedNode, message: str) -> None:
        """Follow the failure of a node. ``message`` is the error as one line."""

    def run_ended(self, summary: RunSummary) -> None:
        """Follow the end of a run, also of one that was interrupted or stopped."""
