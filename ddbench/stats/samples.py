"""The accuracies of one row in one setting, and what they say about the row alone."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from ddbench.stats.repeats import mean_interval

Interval: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Sample:
    """The accuracies of one row in one setting, in percent. There is at least one.

    A set is the unit of repetition, because trainings on one set carry no information about other sets. A row
    without a random step has one set by nature. Its unit is the training.

    Attributes:
        sets: the accuracies of the trainings on each distilled set.
        fixed: True if other seeds give the same set.
    """

    sets: tuple[tuple[float, ...], ...]
    fixed: bool = False

    @cached_property
    def units(self) -> list[float]:
        """The independent values: the mean of each set, or the trainings on a fixed set."""
        return list(self.sets[0]) if self.fixed else [statistics.fmean(values) for values in self.sets]

    @cached_property
    def mean(self) -> float:
        """The mean. Each set counts once."""
        return statistics.fmean(self.units)

    @cached_property
    def variance(self) -> float | None:
        """The variance of the units; None for one unit."""
        return statistics.variance(self.units) if len(self.units) > 1 else None


@dataclass(frozen=True)
class Spread:
    """The mean of a row and its uncertainty.

    Attributes:
        mean: the mean accuracy. Each set counts once.
        sets: number of distilled sets.
        trainings: number of trainings of all sets.
        sd_sets: standard deviation of the means of sets; None for one set.
        interval: the 95 % Student-t interval of the mean; None if there is one unit.
        unit: what the interval is taken over: ``sets``, or ``trainings`` for a row that has one set by nature.
        note: why there is no interval, or why it covers trainings only; empty for a usual row.
    """

    mean: float
    sets: int
    trainings: int
    sd_sets: float | None
    interval: Interval | None
    unit: Literal["sets", "trainings"]
    note: str


def spread_of(sample: Sample) -> Spread:
    """Return the mean of a row and its uncertainty."""
    sd = None if sample.fixed or sample.variance is None else math.sqrt(sample.variance)
    return Spread(
        mean=sample.mean,
        sets=len(sample.sets),
        trainings=sum(map(len, sample.sets)),
        sd_sets=sd,
        interval=mean_interval(sample.units),
        unit="trainings" if sample.fixed else "sets",
        note=_note(sample),
    )


def _note(sample: Sample) -> str:
    if sample.fixed:
        only = "it has one training" if len(sample.units) == 1 else "the interval covers trainings only"
        return f"no step of the row is random, so all seeds give one set; {only}"
    return "one distilled set, so the spread of sets is unknown" if len(sample.sets) == 1 else ""


def pooled_variance(samples: Sequence[Sample]) -> tuple[float, int]:
    """Return the variance within samples and its degrees of freedom. Samples with one unit add nothing."""
    freedom = sum(len(sample.units) - 1 for sample in samples)
    total = sum(sample.variance * (len(sample.units) - 1) for sample in samples if sample.variance is not None)
    return (total / freedom, freedom) if freedom else (0.0, 0)
