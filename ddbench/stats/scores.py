"""Scores in addition to accuracy, with intervals. The ideas are those of DD-Ranking (arXiv:2505.13300).

Accuracies are in percent. Each group of them is a sequence of sets, and each set a sequence of trainings. Groups are
independent. The unit of a group is the set, or the training if there is one set.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from ddbench.stats.repeats import CONFIDENCE, units

Sets: TypeAlias = Sequence[Sequence[float]]
# DD-Ranking weighs accuracies with and without augmentation equally.
_WEIGHT: Final = 0.5


@dataclass(frozen=True)
class Estimate:
    """A value with its interval.

    Attributes:
        value: the value.
        interval: its interval at :data:`CONFIDENCE`; None if a group has one unit.
    """

    value: float
    interval: tuple[float, float] | None

    def __str__(self) -> str:
        return f"{self.value:.1f}" + (" [{:.1f}, {:.1f}]".format(*self.interval) if self.interval else "")


def improvement(own: Sets, random: Sets) -> Estimate:
    """Return the improvement over random images (IOR) in points, with Welch's interval."""
    return _combined(_mean(own) - _mean(random), [(units(own), 1), (units(random), -1)])


def gap(own: Sets, full: Sets) -> Estimate:
    """Return what is missing to the full data (HLR, if labels are hard) in points, with Welch's interval."""
    return improvement(full, own)


def recovered(own: Sets, random: Sets, full: Sets) -> Estimate | None:
    """Return the recovered share of the distance from random images to the full data, in percent.

    The interval is that of the delta method, which needs a distance clearly above 0. The result is None if the distance
    or the low end of its interval is not positive.
    """
    distance = improvement(full, random)
    if distance.value <= 0 or (distance.interval is not None and distance.interval[0] <= 0):
        return None
    share, unit = (_mean(own) - _mean(random)) / distance.value, 100 / distance.value
    return _combined(
        100 * share, [(units(own), unit), (units(random), (share - 1) * unit), (units(full), -share * unit)]
    )


def robustness(own: Sets, own_plain: Sets, random: Sets, random_plain: Sets) -> Estimate:
    """Return the augmentation-robust score (ARS), from 0 to 100.

    With b the mean of the improvements over random with and without augmentation, as fractions, it is
    100 (exp(b) - exp(-1)) / (exp(1) - exp(-1)).

    Args:
        own: accuracies with augmentation.
        own_plain: accuracies without it, on the same sets in the same order.
        random: accuracies of random images with augmentation.
        random_plain: accuracies without it, on the same sets in the same order.
    """
    parts = [*_both(own, own_plain, 1), *_both(random, random_plain, -1)]
    found = _combined(sum(factor * statistics.fmean(values) for values, factor in parts), parts)
    ends = None if found.interval is None else (_normalised(found.interval[0]), _normalised(found.interval[1]))
    return Estimate(_normalised(found.value), ends)


def _both(with_it: Sets, without: Sets, sign: int) -> list[tuple[Sequence[float], float]]:
    """Return the units of the weighted sum of both accuracies. Both are measured on one set, so it has one sum."""
    if len(with_it) == 1:
        return [(with_it[0], sign * _WEIGHT), (without[0], sign * (1 - _WEIGHT))]
    means = zip(units(with_it), units(without), strict=True)
    return [([_WEIGHT * one + (1 - _WEIGHT) * other for one, other in means], sign)]


def _normalised(points: float) -> float:
    return 100 * (math.exp(points / 100) - math.exp(-1)) / (math.e - math.exp(-1))


def _mean(sets: Sets) -> float:
    return statistics.fmean(units(sets))


def _combined(value: float, parts: Sequence[tuple[Sequence[float], float]]) -> Estimate:
    """Return a function of independent means with its interval.

    Args:
        value: its value.
        parts: the units of each mean, and the derivative of the function by it. The degrees of freedom are those of
            Welch and Satterthwaite.
    """
    if any(len(values) < 2 for values, _ in parts):
        return Estimate(value, None)
    variances = [factor**2 * statistics.variance(values) / len(values) for values, factor in parts]
    total = sum(variances)
    if total == 0:
        return Estimate(value, (value, value))
    from scipy.special import stdtrit

    freedom = total**2 / sum(one**2 / (len(values) - 1) for one, (values, _) in zip(variances, parts, strict=True))
    half = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * math.sqrt(total)
    return Estimate(value, (value - half, value + half))
