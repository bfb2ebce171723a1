"""A leaderboard's numbers: for each row, IPC and student what the results say."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ddbench.plan import State
from ddbench.stats.summary import DDOF, Summary, summarise
from ddbench.suite import ResolvedSuite


@dataclass(frozen=True)
class Entry:
    """One place of the table.

    Attributes:
        expected: how many different trainings the suite asks for here.
        last: top-1 accuracy in percent after the last epoch, over the trainings there are; None if there is none.
        best: the highest of ``evaluations`` evaluations of each training, where they were measured as the papers do.
    """

    method: str
    ipc: int
    student: str
    protocol: str
    expected: int
    last: Summary | None
    best: Summary | None
    evaluations: int | None


@dataclass(frozen=True)
class Leaderboard:
    """The numbers of a suite and what they rest on.

    Attributes:
        rows: for each method what it is made of.
        seeds: how many seeds each axis has.
        validation: digest and size of each validation set that was used: one, unless the data changed.
        environments: device models and torch versions that took part.
    """

    suite: str
    dataset: str
    numerics: str
    seeds: dict[str, int]
    ddof: int
    rows: dict[str, dict[str, str]]
    entries: tuple[Entry, ...]
    validation: tuple[tuple[str, int], ...]
    environments: tuple[str, ...]

    @property
    def protocols(self) -> list[str]:
        """The protocols of the rows, in the table's order."""
        return list(dict.fromkeys(entry.protocol for entry in self.entries))

    def to_json(self) -> dict[str, Any]:
        """The leaderboard as a JSON object."""
        return asdict(self)


def build_leaderboard(suite: ResolvedSuite, state: State) -> Leaderboard:
    """Aggregate the results that a store has for a suite. Equal trainings count once, whatever cells they stand for."""
    groups: dict[tuple[str, int, str, str], set[str]] = {}
    for cell, key in state.graph.cells:
        place = (cell.row.name, cell.ipc, cell.student.label, cell.row.protocol.id)
        groups.setdefault(place, set()).add(key)
    used: list[dict[str, Any]] = []
    entries = []
    for (method, ipc, student, protocol), keys in groups.items():
        found = {state.action_keys[k]: _chosen(state.results[k]) for k in sorted(keys) if k in state.results}
        records = [found[action_key] for action_key in sorted(found)]
        used += records
        missing = sum(key not in state.results for key in keys)
        entries.append(_entry((method, ipc, student, protocol), records, len(records) + missing))
    axes = ("generation", "selection", "training")
    seeds = {axis: len({cell.seeds[axis] for cell in suite.cells}) for axis in axes}
    return Leaderboard(
        suite=suite.name,
        dataset=suite.dataset.label,
        numerics=suite.numerics,
        seeds=seeds,
        ddof=DDOF,
        rows={cell.row.name: cell.row.describe() for cell in suite.cells},
        entries=tuple(entries),
        validation=tuple(sorted({(r["validation"]["digest"], r["validation"]["size"]) for r in used})),
        environments=tuple(sorted({_environment(r["environment"]) for r in used})),
    )


def _chosen(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Of replicates from several environments one, always the same; they are no further seeds."""
    return min(records, key=lambda record: str(record["fingerprint"]))


def _entry(place: tuple[str, int, str, str], records: list[dict[str, Any]], expected: int) -> Entry:
    results = [record["result"] for record in records]
    return Entry(
        *place,
        expected=expected,
        last=summarise([r["last"] for r in results]) if results else None,
        best=summarise([r["best"] for r in results])
        if results and all(r["best"] is not None for r in results)
        else None,
        evaluations=max(r["evaluations"] for r in results) if results else None,
    )


def _environment(env: dict[str, Any]) -> str:
    versions = env["versions"]
    return f"{env['device_model']}, torch {versions['torch']}, ddbench {versions['ddbench']}"
