"""The statistics of a leaderboard: intervals, ranks, verdicts, variance by axis, and averages over settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Final, TypeAlias, TypeVar

from ddbench.report.distilled import DistilledResult, SetValues, paired_by_lineage
from ddbench.report.results import Results
from ddbench.report.scores import Place
from ddbench.stats.against import compare_with
from ddbench.stats.ranks import Rank, ranks_of
from ddbench.stats.samples import Sample, Spread, spread_of
from ddbench.stats.settings import Overall, overall
from ddbench.stats.variance import variance_by_axis
from ddbench.stats.verdicts import Verdict
from ddbench.suite.cells import twin_of
from ddbench.suite.model import MARGIN

V = TypeVar("V")

_AXES: Final = ("generation", "selection")
_SECONDS_PER_HOUR: Final = 3600
# A student, an IPC and the name of a twin, or an empty text for rows that are no twins.
Column: TypeAlias = tuple[str, int, str]


@dataclass(frozen=True)
class Standing:
    """The statistics of one place of the table.

    Attributes:
        method: the name of the row.
        ipc: images per class.
        student: the student.
        protocol: the protocol.
        sets: the values of each distilled set.
        spread: mean, deviation and interval; None if there is no result.
        rank: the rank among the rows of the same student, IPC and protocol; None without a spread.
        verdict: the comparison with the baseline; None for the baseline, without a baseline or without a result.
        at_chance: of a control with shuffled labels: True if the interval holds chance; None for other rows.
        against_protocol: the protocol of the row that the verdict is against, if it is another one. Then the verdict
            is on method and protocol together.
    """

    method: str
    ipc: int
    student: str
    protocol: str
    sets: tuple[SetValues, ...]
    spread: Spread | None
    rank: Rank | None
    verdict: Verdict | None
    at_chance: bool | None
    against_protocol: str | None = None


@dataclass(frozen=True)
class Variances:
    """The variance of one column by seed axis, pooled over its rows, in squared points.

    Attributes:
        student: the student.
        ipc: images per class.
        by_axis: the variance that each axis adds. Axes that vary only together have one entry.
    """

    student: str
    ipc: int
    by_axis: dict[str, float]


@dataclass(frozen=True)
class Statistics:
    """The statistics of all places.

    Attributes:
        baseline: the row that the others are compared with.
        margin: differences below it count as none, in points.
        standings: the places in the order of the table.
        variances: the variance of each column by seed axis.
        overall: each row over all students and IPCs, among the rows of its protocol.
    """

    baseline: str | None = None
    margin: float = MARGIN
    standings: tuple[Standing, ...] = ()
    variances: tuple[Variances, ...] = ()
    overall: dict[str, Overall] = field(default_factory=dict)


def statistics_of(results: Results, places: Mapping[Place, Sequence[DistilledResult]]) -> Statistics:
    """Return the statistics of a board.

    Args:
        results: the results of the suite.
        places: the distilled sets of every place, in the order of the table.
    """
    baseline, margin = results.values.get("baseline"), margin_of(results)
    samples = {place: sample_of(sets) for place, sets in places.items() if sets}
    columns: dict[Column, dict[str, Place]] = {}
    alike: dict[str, dict[tuple[str, int], dict[str, Place]]] = {}
    for place in places:
        method, ipc, student, protocol = place
        columns.setdefault(_column(place, results.values.get("twins", {})), {})[method] = place
        alike.setdefault(protocol, {}).setdefault((student, ipc), {})[method] = place
    ranks: dict[Place, Rank] = {}
    averages: dict[str, Overall] = {}
    for settings in alike.values():
        for rows in settings.values():
            ranks |= {rows[name]: rank for name, rank in ranks_of(_of(rows, samples)).items()}
        averages |= overall([_of(rows, samples) for rows in settings.values()], baseline)
    verdicts: dict[Place, Verdict] = {}
    others: dict[Place, str] = {}
    for (_, _, twin), rows in columns.items():
        if baseline is None:
            break
        against = twin_of(baseline, twin) if twin else baseline
        found = verdicts_of(against, _of(rows, places), margin)
        verdicts |= {rows[name]: verdict for name, verdict in found.items()}
        own = rows[against][3] if against in rows else None
        others |= {rows[name]: own for name in found if own is not None and rows[name][3] != own}
    standings = (
        Standing(
            *place,
            sets=tuple(one.values for one in sets),
            spread=spread_of(samples[place]) if sets else None,
            rank=ranks.get(place),
            verdict=verdicts.get(place),
            at_chance=_at_chance(samples.get(place), results, place[0]),
            against_protocol=others.get(place),
        )
        for place, sets in places.items()
    )
    variances = (
        Variances(student, ipc, variance_by_axis([_paths(places[place]) for place in rows.values()], _AXES))
        for (student, ipc, twin), rows in columns.items()
        if not twin
    )
    return Statistics(baseline, margin, tuple(standings), tuple(variances), averages)


def margin_of(results: Results) -> float:
    """Return the suite's margin, in points. An earlier or damaged export has the usual one."""
    margin = results.values.get("margin")
    return float(margin) if isinstance(margin, int | float) and margin > 0 else MARGIN


def _column(place: Place, twins: Iterable[str]) -> Column:
    """Return the column of a place. Twins are compared with twins."""
    method, ipc, student, _ = place
    return student, ipc, next((twin for twin in twins if method.endswith(twin_of("", twin))), "")


def _of(rows: Mapping[str, Place], values: Mapping[Place, V]) -> dict[str, V]:
    """Return the values of the rows of a column that have any."""
    return {name: values[place] for name, place in rows.items() if values.get(place)}


def sample_of(sets: Sequence[DistilledResult]) -> Sample:
    """Return the accuracies of a row. A set that several seeds give is fixed."""
    values = tuple(tuple(one.last for one in own.measured) for own in sets)
    return Sample(values, fixed=len(sets) == 1 and len(sets[0].seeds) > 1)


def verdicts_of(baseline: str, rows: Mapping[str, Sequence[DistilledResult]], margin: float) -> dict[str, Verdict]:
    """Return the verdict on each row with results against one of them, with the time of the sets that it lacks."""
    pairs = {name: paired_by_lineage(rows.get(baseline, ()), sets) for name, sets in rows.items()}
    found = compare_with(baseline, {name: sample_of(sets) for name, sets in rows.items()}, pairs, margin)
    return {name: with_hours(verdict, rows[name], rows.get(baseline, ())) for name, verdict in found.items()}


def with_hours(verdict: Verdict, *rows: Sequence[DistilledResult]) -> Verdict:
    """Return the verdict with the recorded time of the sets of both rows that it lacks."""
    if verdict.sets_needed is None:
        return verdict
    seconds = 0.0
    for sets in rows:
        times = [one.values for one in sets]
        known = [
            t.seconds + len(t.accuracies) * t.training_seconds
            for t in times
            if t.seconds is not None and t.training_seconds is not None
        ]
        if not known:
            return verdict
        seconds += fmean(known)
    return replace(verdict, hours=verdict.sets_needed * seconds / _SECONDS_PER_HOUR)


def _at_chance(sample: Sample | None, results: Results, method: str) -> bool | None:
    """Return whether a control with shuffled labels is at chance; None for other rows and without an interval."""
    if sample is None or results.classes is None or results.rows.get(method, {}).get("labels") != "shuffled":
        return None
    interval = spread_of(sample).interval
    return None if interval is None else interval[0] <= 100 / results.classes <= interval[1]


def _paths(sets: Sequence[DistilledResult]) -> list[tuple[tuple[int, ...], float]]:
    """Return the trainings of a row by the seeds of their sets; none of a row whose seeds give one set."""
    return [(own.seeds[0], one.last) for own in sets if len(own.seeds) == 1 for one in own.measured]
