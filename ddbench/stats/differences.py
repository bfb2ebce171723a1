"""The difference between two rows, with its confidence interval over distilled sets."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ddbench.stats.repeats import CONFIDENCE, mean_interval
from ddbench.stats.summary import summarise


@dataclass(frozen=True)
class Difference:
    """A mean difference, in percent points.

    Attributes:
        mean: the mean of the second row minus that of the first.
        interval: the Student-t interval of the difference at ``CONFIDENCE``; None if a row has one set only.
        sets: the number of sets of each row.
        paired: True if the difference was taken within each pair of sets.
    """

    mean: float
    interval: tuple[float, float] | None
    sets: tuple[int, int]
    paired: bool


def paired_difference(pairs: Sequence[tuple[float, float]]) -> Difference:
    """Return the mean of after minus before, over at least one pair of sets."""
    differences = [after - before for before, after in pairs]
    count = len(differences)
    return Difference(statistics.fmean(differences), mean_interval(differences), (count, count), True)


def independent_difference(before: Sequence[float], after: Sequence[float]) -> Difference:
    """Return the difference of the means of independent sets, at least one of each row, with Welch's interval."""
    first, second = summarise(before), summarise(after)
    mean, sets = second.mean - first.mean, (first.n, second.n)
    if first.std is None or second.std is None:
        return Difference(mean, None, sets, False)
    parts = [summary.std**2 / summary.n for summary in (first, second) if summary.std is not None]
    half = _welch_quantile(parts, sets) * math.sqrt(sum(parts))
    return Difference(mean, (mean - half, mean + half), sets, False)


def _welch_quantile(parts: list[float], sets: tuple[int, int]) -> float:
    """Return the two-sided quantile of Student's t with the Welch–Satterthwaite degrees of freedom."""
    from scipy.special import stdtrit

    spread = sum(part**2 / (n - 1) for part, n in zip(parts, sets, strict=True))
    return float(stdtrit(sum(parts) ** 2 / spread, (1 + CONFIDENCE) / 2)) if spread else 0.0
