"""The distilled sets of one place of the table, and the lineage that pairs sets of two rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import Final, TypeAlias

from ddbench.record import Measurement

# The seeds of a distilled set: generation and selection.
Seeds: TypeAlias = tuple[int, int]

# Two sets share their samples if this part of the larger one is in both.
_SHARED: Final = 0.9


@dataclass(frozen=True)
class SetValues:
    """One distilled set with its accuracies.

    Attributes:
        seeds: the seeds of generation and selection that give it; several if the row has no random step.
        accuracies: the last accuracy of each training in percent, in the order of their keys.
        seconds: wall time of its stages, without trainings; None if unknown.
        training_seconds: mean wall time of a training; None if unknown.
    """

    seeds: tuple[Seeds, ...]
    accuracies: tuple[float, ...]
    seconds: float | None
    training_seconds: float | None


@dataclass(frozen=True)
class DistilledResult:
    """One distilled set with its measurements.

    Attributes:
        seeds: the seeds of generation and selection that give the set.
        measured: the measurements of its trainings.
        ids: the ids of its samples. If they were not kept, the key of their choice stands for all of them.
    """

    seeds: tuple[Seeds, ...]
    measured: tuple[Measurement, ...]
    ids: frozenset[str]

    @cached_property
    def mean(self) -> float:
        """The mean accuracy of its trainings."""
        return fmean(one.last for one in self.measured)

    @cached_property
    def values(self) -> SetValues:
        """Its values for tables."""
        times = [one.wall_s for one in self.measured if one.wall_s is not None and not one.resumed]
        return SetValues(
            self.seeds,
            tuple(one.last for one in self.measured),
            seconds=self.measured[0].set_s,
            training_seconds=fmean(times) if times else None,
        )


def distilled_results(
    measured: Iterable[Measurement], seeds: Mapping[str, Iterable[Seeds]], samples: Mapping[str, Sequence[str]]
) -> list[DistilledResult]:
    """Return the distilled sets of one place in the order of their seeds.

    Args:
        measured: the measurements of the place.
        seeds: the seeds of each measurement's distilled set, by action key.
        samples: the ids of chosen samples, by the key of the choice.
    """
    found = []
    for own in grouped(measured, seeds):
        marks = sorted({mark for one in own for mark in seeds[one.action_key]})
        choice = own[0].selection
        ids = frozenset(() if choice is None else samples.get(choice) or (choice,))
        found.append(DistilledResult(tuple(marks), tuple(own), ids))
    return sorted(found, key=lambda one: one.seeds)


def paired_by_lineage(before: Sequence[DistilledResult], after: Sequence[DistilledResult]) -> list[tuple[float, float]]:
    """Return the means of paired sets of two rows; none if the rows are independent.

    Two rows are paired if each set of the row with fewer sets has a set of equal seeds in the other row. Nine tenths
    of the samples of both must have the same ids. An id names class and index of a sample, so the sets share the noise
    that these samples were made from. A refiner keeps the ids. A pool that both rows choose from is not enough.
    """
    by_seeds = {seeds: one for one in before for seeds in one.seeds}
    pairs = [(by_seeds[one.seeds[0]], one) for one in after if one.seeds[0] in by_seeds]
    distinct = len({id(one) for one, _ in pairs}) == len(pairs)
    if not distinct or len(pairs) < min(len(before), len(after)) or not all(_share_samples(*pair) for pair in pairs):
        return []
    return [(one.mean, other.mean) for one, other in pairs]


def _share_samples(one: DistilledResult, other: DistilledResult) -> bool:
    return len(one.ids & other.ids) >= _SHARED * max(len(one.ids), len(other.ids), 1)


def grouped(measured: Iterable[Measurement], seeds: Mapping[str, Iterable[Seeds]]) -> list[list[Measurement]]:
    """Return the measurements of each distilled set.

    A set is one if its bits are equal or if its seeds are. Merged exports may hold a set as two machines made it, with
    other bits. Without a digest, the bits count as different from all others.

    Args:
        measured: the measurements of one place.
        seeds: the seeds of each measurement's distilled set, by action key.
    """
    joined: dict[str | Seeds, str | Seeds] = {}

    def first(mark: str | Seeds) -> str | Seeds:
        while (other := joined.setdefault(mark, mark)) != mark:
            mark = other
        return mark

    measured = list(measured)
    for one in measured:
        for mark in seeds[one.action_key]:
            joined[first(mark)] = first(one.distilled or one.action_key)
    sets: dict[str | Seeds, list[Measurement]] = {}
    for one in measured:
        sets.setdefault(first(one.distilled or one.action_key), []).append(one)
    return list(sets.values())
