"""A leaderboard's numbers: for each row, IPC and student what the results say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ddbench.record import Environment, Result, RunRecord
from ddbench.report.comparison import Comparison, compare
from ddbench.report.results import Results, Trial, results_of
from ddbench.stats.summary import DDOF, Summary, summarise

if TYPE_CHECKING:
    from ddbench.plan import State
    from ddbench.suite import ResolvedSuite


@dataclass(frozen=True)
class Entry:
    """One place of the table.

    Attributes:
        expected: how many different trainings the suite asks for here.
        last: top-1 accuracy in percent after the last epoch, over the trainings there are; None if there is none.
        best: the highest of ``evaluations`` evaluations of each training, where they were measured as the papers do.
        epochs: of each training, where the evaluator says it.
    """

    method: str
    ipc: int
    student: str
    protocol: str
    expected: int
    last: Summary | None
    best: Summary | None
    evaluations: int | None
    epochs: int | None = None


@dataclass(frozen=True)
class Leaderboard:
    """The numbers of a suite and what they rest on.

    Attributes:
        rows: for each method what it is made of.
        generators: for each named variant of a generator that the rows use, what it is.
        scorers: for each role what fills it.
        summaries: of the protocols.
        seeds: how many seeds each axis has.
        validation: digest and size of each validation set that was used: one, unless the data changed.
        environments: device models, what the numerics were on them, and versions that took part.
        comparisons: with each published number of the suite, in the order of the entries.
        earlier: how many results were made by an earlier version, under keys of another format.
    """

    suite: str
    dataset: str
    numerics: str
    seeds: dict[str, int]
    ddof: int
    rows: dict[str, dict[str, str]]
    generators: dict[str, str]
    scorers: dict[str, str]
    summaries: dict[str, str]
    entries: tuple[Entry, ...]
    validation: tuple[tuple[str, int], ...]
    environments: tuple[str, ...]
    comparisons: tuple[Comparison, ...] = ()
    earlier: int = 0

    @property
    def protocols(self) -> list[str]:
        """The protocols of the rows, in the table's order."""
        return list(dict.fromkeys(entry.protocol for entry in self.entries))

    def to_json(self) -> dict[str, Any]:
        """The leaderboard as a JSON object."""
        return asdict(self)


def build_leaderboard(suite: ResolvedSuite, state: State) -> Leaderboard:
    """Aggregate the results that a store has for a suite."""
    return leaderboard_of(results_of(suite, state))


def leaderboard_of(results: Results) -> Leaderboard:
    """Aggregate the results of a suite. Equal trainings count once, whatever cells they stand for."""
    groups: dict[tuple[str, int, str, str], set[str]] = {}
    for trial in results.trials:
        groups.setdefault((trial.method, trial.ipc, trial.student, trial.protocol), set()).add(trial.evaluation)
    used: list[RunRecord] = []
    entries, comparisons = [], []
    for place, evaluations in groups.items():
        replicates = [_chosen(results.records[key]) for key in sorted(evaluations) if key in results.records]
        found = {record.action_key: record for record in replicates}
        records = [found[action_key] for action_key in sorted(found)]
        used += records
        expected = len(records) + sum(key not in results.records for key in evaluations)
        entries.append(_entry(place, records, expected))
        comparisons += compare(place, results.published.get(place[0], ()), records, expected)
    return Leaderboard(
        suite=results.suite,
        dataset=results.dataset,
        numerics=results.numerics,
        seeds=_seeds(results.trials),
        ddof=DDOF,
        rows=results.rows,
        generators=results.generators,
        scorers=results.scorers,
        summaries=results.protocols,
        entries=tuple(entries),
        validation=tuple(sorted({(r.validation.digest, r.validation.size) for r in used})),
        environments=tuple(sorted({_environment(r.environment) for r in used})),
        comparisons=tuple(comparisons),
        earlier=len({r.action_key for r in used if r.format < results.format}),
    )


def _seeds(trials: Sequence[Trial]) -> dict[str, int]:
    """How many seeds each axis has; generation and selection are one where they only vary together."""
    counts = {axis: len({trial.seeds[axis] for trial in trials}) for axis in ("generation", "selection", "training")}
    pairs = len({(trial.seeds["generation"], trial.seeds["selection"]) for trial in trials})
    if pairs == counts["generation"] == counts["selection"] > 1:
        return {"generation and selection": pairs, "training": counts["training"]}
    return counts


def _chosen(records: list[RunRecord]) -> RunRecord:
    """Of replicates from several environments one, always the same: they are no further seeds.

    Those with keys of today go before those of an earlier version.
    """
    return min(records, key=lambda record: (-record.format, record.fingerprint))


def _entry(place: tuple[str, int, str, str], records: list[RunRecord], expected: int) -> Entry:
    results = [record.result for record in records]
    best = [result.best for result in results if result.best is not None]
    return Entry(
        *place,
        expected=expected,
        last=summarise([result.last for result in results]) if results else None,
        best=summarise(best) if best and len(best) == len(results) else None,
        evaluations=max(result.evaluations for result in results) if results else None,
        epochs=_epochs(results[0]) if results else None,
    )


def _epochs(result: Result) -> int | None:
    """The epochs of a training, where the evaluator says them."""
    epochs = result.details.get("epochs")
    return epochs if isinstance(epochs, int) else None


def _environment(env: Environment) -> str:
    return f"{env.device_model} ({env.numerics}), torch {env.versions['torch']}, ddbench {env.versions['ddbench']}"
