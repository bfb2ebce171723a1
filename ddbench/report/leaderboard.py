"""Aggregate results into a leaderboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from ddbench.record import Environment, Measurement
from ddbench.report.comparison import Comparison, compare
from ddbench.report.places import places_of, set_seeds
from ddbench.report.replicates import EnvironmentSpread, spread_between
from ddbench.report.results import Results, Trial
from ddbench.report.scores import Score, by_set, scores_of
from ddbench.report.set_scores import SetRow, set_rows
from ddbench.report.splits import Step, sets_of, steps_of
from ddbench.report.standings import Statistics, statistics_of
from ddbench.stats.summary import DDOF, Summary, summarise

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Entry:
    """One place of the table.

    Attributes:
        method: the name of the row.
        ipc: images per class.
        student: the student.
        protocol: the protocol.
        expected: number of different trainings that the suite asks for.
        last: top-1 accuracy in percent after the last epoch; None if there is no result.
        best: highest accuracy of all evaluations of a training; None unless measured with ``evaluate: papers``.
        evaluations: number of evaluations of a training.
        epochs: number of epochs of a training; None if the evaluator does not report it.
        images: number of images of a distilled set; None if unknown.
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
    images: int | None = None


@dataclass(frozen=True)
class Leaderboard:
    """The numbers of a suite.

    Attributes:
        suite: the suite's name.
        dataset: the data set.
        numerics: the numerics of the students.
        seeds: number of seeds of each axis.
        ddof: delta degrees of freedom of the standard deviations.
        rows: the components and settings of each method, as text.
        generators: the named variants of generators that the rows use, as text.
        scorers: the scorers as text, by role.
        summaries: the summaries of the protocols.
        entries: the places of the table.
        validation: digest and size of each validation set; there is one, unless the data changed.
        environments: device models with their numerics and versions.
        teachers: each checked teacher with its accuracy on training images.
        comparisons: comparisons with published numbers, in the order of the entries.
        scores: scores in addition to accuracy, in the order of the entries.
        earlier: number of results from an earlier version, whose keys have another format.
        repeated: number of trainings with results on different inputs. Merged exports may hold a distilled set as two
            machines made it. The mean of each counts.
        splits: the steps of the suite's splits, for each student and IPC.
        sets: the scores of distilled sets themselves, in the order of the entries.
        expected_near: number of training images that are near validation images, and of those that were compared; None
            if no set is assessed.
        chance: accuracy of guesses, in percent; None in an old export.
        statistics: intervals, ranks and verdicts of the entries, in their order, and more.
        environment_spread: the spread of equal trainings between environments; None if none was repeated.
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
    teachers: tuple[str, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    scores: tuple[Score, ...] = ()
    earlier: int = 0
    repeated: int = 0
    splits: tuple[Step, ...] = ()
    sets: tuple[SetRow, ...] = ()
    expected_near: tuple[int, int] | None = None
    chance: float | None = None
    statistics: Statistics = field(default_factory=Statistics)
    environment_spread: EnvironmentSpread | None = None

    @property
    def protocols(self) -> list[str]:
        """The protocols of the rows, in the table's order."""
        return list(dict.fromkeys(entry.protocol for entry in self.entries))

    def to_json(self) -> dict[str, Any]:
        """Return the leaderboard as a JSON object."""
        return asdict(self)


def leaderboard_of(results: Results) -> Leaderboard:
    """Aggregate the results of a suite. Equal trainings count once, even if several cells share them."""
    places = places_of(results)
    replicates = [own for found in places.values() for own in found.replicates]
    used = [one for own in replicates for one in own]
    complete = {
        place: by_set(found.measured, found.seeds)
        for place, found in places.items()
        if found.measured and len(found.measured) == found.expected
    }
    comparisons = chain.from_iterable(
        compare(place, results.published.get(place[0], ()), found.measured, found.seeds, found.expected)
        for place, found in places.items()
    )
    sets_by_place = {place[:3]: sets_of(found.measured, found.seeds) for place, found in places.items()}
    missing = {place[:3]: found.expected - len(found.measured) for place, found in places.items()}
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
        entries=tuple(_entry(place, found.measured, found.expected) for place, found in places.items()),
        validation=tuple(sorted({(m.validation.digest, m.validation.size) for m in used})),
        environments=tuple(sorted({_environment(m.environment) for m in used})),
        teachers=tuple(sorted({told for m in used for told in m.teachers})),
        comparisons=tuple(comparisons),
        scores=tuple(scores_of(results, complete)),
        splits=tuple(steps_of(results.values.get("splits", {}), results.rows, sets_by_place, missing)),
        chance=100 / results.classes if results.classes else None,
        sets=tuple(set_rows({place: found.measured for place, found in places.items()}, results)),
        expected_near=max(((one.expected, one.checked) for one in results.assessments.values()), default=None),
        statistics=statistics_of(results, {place: found.distilled for place, found in places.items()}),
        environment_spread=spread_between(replicates),
        earlier=len({m.action_key for m in used if m.format < results.format}),
        repeated=len({own[0].action_key for own in replicates if len({one.action_key for one in own}) > 1}),
    )


def _seeds(trials: Sequence[Trial]) -> dict[str, int]:
    """Count the seeds of each axis. Generation and selection count as one axis if they only vary together."""
    counts = {axis: len({trial.seeds[axis] for trial in trials}) for axis in ("generation", "selection", "training")}
    pairs = len(set(map(set_seeds, trials)))
    if pairs == counts["generation"] == counts["selection"] > 1:
        return {"generation and selection": pairs, "training": counts["training"]}
    return counts


def _entry(place: tuple[str, int, str, str], measured: list[Measurement], expected: int) -> Entry:
    best = [one.best for one in measured if one.best is not None]
    return Entry(
        *place,
        expected=expected,
        last=summarise([one.last for one in measured]) if measured else None,
        best=summarise(best) if best and len(best) == len(measured) else None,
        evaluations=max(one.evaluations for one in measured) if measured else None,
        epochs=measured[0].epochs if measured else None,
        images=measured[0].images if measured else None,
    )


def _environment(env: Environment) -> str:
    return f"{env.device_model} ({env.numerics}), torch {env.versions['torch']}, ddbench {env.versions['ddbench']}"
