"""Verdicts on a difference: better, worse, equivalent or undecided, and the price of a decision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ddbench.stats.samples import Interval

if TYPE_CHECKING:
    from numpy import ndarray

Word: TypeAlias = Literal["better", "worse", "equivalent", "undecided"]

# A family of comparisons gives any false verdict with at most this probability.
ALPHA: Final = 0.05
POWER: Final = 0.8
# More sets than this are no answer.
_MOST_SETS: Final = 10_000
_STEPS: Final = 32


@dataclass(frozen=True)
class Verdict:
    """The comparison of a row with another one, in percent points.

    Attributes:
        against: the name of the other row.
        word: the verdict on the row.
        difference: the mean of the row minus that of the other; None if one of them has no result.
        interval: the interval of the difference that the verdict rests on; None without a test.
        p: the p-value, adjusted for the family; None without a test.
        test: the test; None if there is none.
        reason: why this test, or why there is none.
        family: number of comparisons for which the test is adjusted.
        margin: differences below it count as none.
        sets: number of sets of the row and of the other.
        sets_needed: more sets of each row that would decide with a probability of 80 %, if difference and spread are as
            measured; None unless undecided by a test, and for a row that has one set by nature.
        hours: time of these sets, as recorded; None if unknown.
    """

    against: str
    word: Word
    difference: float | None
    interval: Interval | None
    p: float | None
    test: str | None
    reason: str
    family: int
    margin: float
    sets: tuple[int, int]
    sets_needed: int | None = None
    hours: float | None = None


@dataclass(frozen=True)
class Design:
    """The design of a comparison, for its intervals and its power.

    Attributes:
        difference: the mean difference.
        variance: the sum of the variances of both units, or the variance of paired differences.
        units: number of units of each row, or of pairs; the smaller one if they differ.
        error: the standard error of the difference.
        limit: quantile for the two-sided interval.
        inner: quantile for the two one-sided tests of equivalence.
        freedom: degrees of freedom.
        freedom_per_unit: degrees of freedom that one more unit of each row adds.
    """

    difference: float
    variance: float
    units: int
    error: float
    limit: float
    inner: float
    freedom: float
    freedom_per_unit: int

    @property
    def interval(self) -> Interval:
        """The interval of the difference."""
        return self.difference - self.limit * self.error, self.difference + self.limit * self.error

    def word(self, margin: float) -> Word:
        """Return the verdict. A difference that is surely below the margin is ``equivalent``, even if it is not 0."""
        if abs(self.difference) + self.inner * self.error < margin:
            return "equivalent"
        low, high = self.interval
        return "better" if low > 0 else "worse" if high < 0 else "undecided"

    def more_units(self, margin: float) -> int | None:
        """Return how many more units of each row decide with a probability of ``POWER``; None if too many.

        The difference and the spread count as true. Levels stay as they are in this family.
        """
        import numpy as np

        if self.variance == 0:
            return None
        coarse = np.unique(np.geomspace(self.units + 1, _MOST_SETS, _STEPS).astype(int))
        enough = np.flatnonzero(self._power(coarse, margin) >= POWER)
        if not len(enough):
            return None
        last = coarse[enough[0]]
        fine = np.arange(coarse[enough[0] - 1] + 1 if enough[0] else last, last + 1)
        return int(fine[self._power(fine, margin) >= POWER][0]) - self.units

    def _power(self, units: ndarray, margin: float) -> ndarray:
        """Return the larger power of the test of a difference and of the tests of equivalence, for numbers of units."""
        import numpy as np
        from scipy.special import stdtr, stdtrit

        freedom = self.freedom + self.freedom_per_unit * (units - self.units)
        error = np.sqrt(self.variance / units)
        limit, inner = (-stdtrit(freedom, stdtr(self.freedom, -value)) for value in (self.limit, self.inner))
        found: ndarray = np.maximum(
            power(self.difference / error, limit, freedom),
            equivalence_power(self.difference, margin, error, inner, freedom),
        )
        return found


def power(shift: ndarray, limit: ndarray, freedom: ndarray) -> ndarray:
    """Return the probability that a t statistic exceeds ``limit`` on the side of its noncentrality ``shift``."""
    from scipy.special import nctdtr

    found: ndarray = 1 - nctdtr(freedom, abs(shift), limit)
    return found


def equivalence_power(difference: float, margin: float, error: ndarray, limit: ndarray, freedom: ndarray) -> ndarray:
    """Return the probability that both one-sided tests find a difference below the margin."""
    above, below = (power(max(0.0, margin + sign * difference) / error, limit, freedom) for sign in (1, -1))
    found: ndarray = (above + below - 1).clip(min=0)
    return found
