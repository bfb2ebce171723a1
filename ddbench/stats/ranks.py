"""Ranks of rows, as intervals. Rows whose intervals overlap share their ranks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Final

from ddbench.stats.samples import Sample, pooled_variance

# Two-sided comparisons with a baseline give a false "better" with half of 5 %. The other half is left for ranks, so
# that a table without differences shows either in at most 5 % of cases.
RANK_ALPHA: Final = 0.025
# With fewer sets, Games–Howell separates equal rows too often. It also does with more: at a nominal 1.8 %, it separates
# some of 14 equal rows in 2.4 % of 40,000 simulated boards at six sets, and in 2.0 % at thirty.
GAMES_HOWELL_SETS: Final = 6
_GAMES_HOWELL_SHARE: Final = 0.018 / 0.025
TUKEY: Final = "Tukey–Kramer"
GAMES_HOWELL: Final = "Games–Howell"


@dataclass(frozen=True)
class Rank:
    """The possible ranks of a row; 1 is the best.

    Attributes:
        low: 1 plus the number of rows that are surely better.
        high: the number of rows minus those that are surely worse.
        of: number of rows with a rank.
        test: the test that separates rows.
    """

    low: int
    high: int
    of: int
    test: str

    def __str__(self) -> str:
        return str(self.low) if self.low == self.high else f"{self.low}–{self.high}"


def ranks_of(rows: Mapping[str, Sample], alpha: float = RANK_ALPHA) -> dict[str, Rank]:
    """Return the rank of each row. Rows with one unit, whose spread is unknown, have none, and so has a single row.

    Args:
        rows: the rows with results.
        alpha: the probability that any two equal rows are separated.
    """
    ranked = {name: sample for name, sample in rows.items() if sample.variance is not None}
    if len(ranked) < 2:
        return {}
    own = all(not s.fixed and len(s.units) >= GAMES_HOWELL_SETS for s in ranked.values())
    squares = _squared_errors(ranked, own)
    alpha *= _GAMES_HOWELL_SHARE if own else 1
    better, worse = dict.fromkeys(ranked, 0), dict.fromkeys(ranked, 0)
    for one, other in combinations(ranked, 2):
        difference = ranked[one].mean - ranked[other].mean
        if abs(difference) > _limit(squares[one], squares[other], len(ranked), alpha):
            winner, loser = (one, other) if difference > 0 else (other, one)
            worse[winner] += 1
            better[loser] += 1
    test = GAMES_HOWELL if own else TUKEY
    return {name: Rank(1 + better[name], len(ranked) - worse[name], len(ranked), test) for name in ranked}


@dataclass(frozen=True)
class _Error:
    """The squared standard error of a mean.

    Attributes:
        square: the squared error.
        freedom: its degrees of freedom.
        pooled: True if it rests on the variance of all rows.
    """

    square: float
    freedom: int
    pooled: bool


def _squared_errors(rows: Mapping[str, Sample], own: bool) -> dict[str, _Error]:
    """Return the error of each row's mean, with its own variance or that of all rows with several sets."""
    variance, freedom = pooled_variance([sample for sample in rows.values() if not sample.fixed])
    return {
        name: _Error((sample.variance or 0.0) / len(sample.units), len(sample.units) - 1, False)
        if own or sample.fixed
        else _Error(variance / len(sample.units), freedom, True)
        for name, sample in rows.items()
    }


def _limit(one: _Error, other: _Error, rows: int, alpha: float) -> float:
    """Return the largest difference of two rows that is not separated."""
    total = one.square + other.square
    if total == 0:  # without a spread, nothing tells a difference from chance
        return math.inf
    if one.pooled and other.pooled:
        freedom = float(one.freedom)
    else:
        spread = one.square**2 / one.freedom + other.square**2 / other.freedom
        freedom = total**2 / spread
    return _quantile(alpha, rows, math.floor(freedom)) * math.sqrt(total / 2)


@lru_cache(maxsize=1024)
def _quantile(alpha: float, rows: int, freedom: int) -> float:
    """Return the upper quantile of the studentised range. Each takes a fraction of a second."""
    from scipy.stats import studentized_range

    return float(studentized_range.isf(alpha, rows, max(1, freedom)))
