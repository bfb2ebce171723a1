"""Confidence intervals of repeated trainings, and agreement with published numbers."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ddbench.stats.summary import Summary, summarise

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Repeats:
    """Statistics of trainings, grouped by distilled set.

    With several sets, a set is the unit of repetition, because trainings on one set carry no information about other
    sets. With one set, a training is the unit.

    Attributes:
        sizes: the number of trainings on each set.
        mean: the mean of the sets' means; each set counts once.
        std: the standard deviation of all trainings, as in :class:`Summary`.
        interval: the Student-t interval of the mean at :data:`CONFIDENCE`; None for one unit.
    """

    sizes: tuple[int, ...]
    mean: float
    std: float | None
    interval: tuple[float, float] | None

    def __str__(self) -> str:
        return str(Summary(sum(self.sizes), self.mean, self.std))

    @property
    def counted(self) -> str:
        """Return ``5 sets × 4``, or ``5 sets, 18 trainings`` if sets differ in their number of trainings."""
        sets = f"{len(self.sizes)} set{'s' if len(self.sizes) > 1 else ''}"
        equal = len(set(self.sizes)) == 1
        return f"{sets} × {self.sizes[0]}" if equal else f"{sets}, {sum(self.sizes)} trainings"


def units(sets: Sequence[Sequence[float]]) -> Sequence[float]:
    """Return the units of repetition: the means of several sets, or the trainings on one."""
    return [statistics.fmean(values) for values in sets] if len(sets) > 1 else sets[0]


def repeats(sets: Sequence[Sequence[float]]) -> Repeats:
    """Return the statistics of at least one set with at least one training each."""
    found = units(sets)
    return Repeats(
        sizes=tuple(sorted(map(len, sets), reverse=True)),
        mean=statistics.fmean(found),
        std=summarise([value for values in sets for value in values]).std,
        interval=mean_interval(found),
    )


def mean_interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the Student-t confidence interval of the mean at :data:`CONFIDENCE`; None for one value."""
    summary = summarise(values)
    if summary.std is None:
        return None
    from scipy.special import stdtrit

    half = float(stdtrit(summary.n - 1, (1 + CONFIDENCE) / 2)) * summary.std / math.sqrt(summary.n)
    return summary.mean - half, summary.mean + half


def agrees(mean: float, std: float | None, interval: tuple[float, float]) -> bool:
    """Return whether a published mean is in ``interval``, widened on both sides by its deviation if it has one."""
    low, high = interval
    std = std or 0
    return low - std <= mean <= high + std
