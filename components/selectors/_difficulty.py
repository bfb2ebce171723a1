"""Difficulty of the samples of a class: histogram, logarithmic transform and search for its thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from ddbench import Pool

from ._teacher import Columns, class_probabilities

Floats: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"
Ints: TypeAlias = "np.ndarray[Any, np.dtype[np.int64]]"


def difficulties(pool: Pool, teacher: str, columns: Columns) -> Floats:
    """Return 1 − P(true class) of each sample of a one-class pool (Eq. 6)."""
    probabilities, own = class_probabilities(pool, teacher, columns)
    scores: Floats = 1 - probabilities[:, own].numpy()
    return scores


def bin_of(values: Floats, bins: int) -> Ints:
    """Return the index of each value's bin among ``bins`` equal, half-open intervals of [0, 1]; the last is closed."""
    inner = np.arange(1, bins) / bins
    return np.searchsorted(inner, values, side="right").astype(np.int64)


def histogram(values: Floats, bins: int) -> Ints:
    """Count the values of each bin along the last axis, ``[…, bins]``."""
    counts: Ints = (bin_of(values, bins)[..., None] == np.arange(bins)).sum(-2)
    return counts


def apportion(shape: Sequence[int], total: int) -> list[int]:
    """Divide ``total`` in proportion to ``shape`` by largest remainder; the lower index wins a tie.

    Integer arithmetic makes ties exact.
    """
    whole = sum(shape)
    quotas = [count * total // whole for count in shape]
    by_remainder = sorted(range(len(shape)), key=lambda i: -(shape[i] * total % whole))
    for i in by_remainder[: total - sum(quotas)]:
        quotas[i] += 1
    return quotas


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of the transform.

    Attributes:
        bottom: the number of lowest scores that are clipped.
        top: the number of highest scores that are clipped.
        divergence: the divergence (Eq. 9) at these thresholds.
    """

    bottom: int
    top: int
    divergence: float


@dataclass(frozen=True)
class LogTransform:
    """The logarithmic transform of a class's difficulties, which spreads scores near 0.

    Attributes:
        variant: the formula of the paper or of the released code.
        bins: number of histogram bins.
        epsilon: keeps logarithms finite.
        weight: weight of likeness to the histogram before the transform; uniformity has 1 − ``weight``.
    """

    variant: Literal["paper", "released"]
    bins: int
    epsilon: float
    weight: float

    def apply(self, scores: Floats, bottom: int, top: int) -> Floats:
        """Return the transformed score (Eq. 7 and 8) of each sample. Ties are ranked in order."""
        order = np.argsort(scores, kind="stable")
        transformed = np.empty_like(scores)
        transformed[order] = self.of_ranked(scores[order], bottom, np.array([top]))[0]
        return transformed

    def of_ranked(self, ranked: Floats, bottom: int, tops: Ints) -> Floats:
        """Return the transform of ascending scores ``[n]`` for each of several top thresholds, ``[len(tops), n]``.

        If the highest and lowest scores are equal after clipping, scores stay unchanged.
        """
        clip = self._zeroed if self.variant == "paper" else self._clamped
        clipped, low, high = clip(ranked, bottom, tops[:, None])
        spread = high > low
        span = np.log(np.where(spread, high / low, np.e))
        transformed: Floats = np.where(spread, np.log(clipped / low) / span, ranked)
        return transformed

    def _zeroed(self, ranked: Floats, bottom: int, tops: Ints) -> tuple[Floats, Floats, Floats]:
        """Set scores beyond the thresholds to 0 and add epsilon to all; return them, their minimum and maximum."""
        ranks = np.arange(len(ranked))
        kept = (ranks >= bottom) & (ranks < len(ranked) - tops)
        clipped = np.where(kept, ranked, 0) + self.epsilon
        return clipped, clipped.min(1, keepdims=True), clipped.max(1, keepdims=True)

    def _clamped(self, ranked: Floats, bottom: int, tops: Ints) -> tuple[Floats, Floats, Floats]:
        """Set scores beyond a threshold to the score at it; a minimum of 0 becomes epsilon. Return as ``_zeroed``."""
        last = len(ranked) - 1
        low = np.array(ranked[min(bottom, last)] or self.epsilon)
        high = ranked[np.maximum(last - tops, 0)]
        return np.clip(ranked, low, np.maximum(high, low)), low, high

    def divergences(self, before: Ints, after: Ints) -> Floats:
        """Return Eq. 9, which weighs likeness to ``before [bins]`` and uniformity, for each of ``after [T, bins]``."""
        p, f, uniform = before / before.sum(), after / after.sum(1, keepdims=True), np.full(self.bins, 1 / self.bins)
        if self.variant == "paper":
            smooth = (p + self.epsilon) / (1 + self.bins * self.epsilon)
            like, even = _kl(f, smooth), _kl(f, uniform)
        else:
            like, even = _kl(p, f) / np.log(2), _kl(uniform, f) / np.log(2)
        # A weight of 0 removes a divergence, even an infinite one.
        terms = [weight * kl for weight, kl in ((self.weight, like), (1 - self.weight, even)) if weight]
        total: Floats = np.sum(terms, axis=0)
        return total

    def search(self, scores: Floats, below: int) -> Thresholds:
        """Return the thresholds in 0 … ``below`` − 1 with least divergence. Ties go to the lowest bottom, then top."""
        ranked = np.sort(scores)
        before, tops = histogram(ranked, self.bins), np.arange(max(below, 1))
        rows = [self.divergences(before, histogram(self.of_ranked(ranked, b, tops), self.bins)) for b in tops.tolist()]
        table = np.stack(rows)
        bottom, top = divmod(int(table.argmin()), len(tops))
        return Thresholds(bottom, top, float(table[bottom, top]))


def _kl(p: Floats, q: Floats) -> Floats:
    """Return KL(p ‖ q) over the last axis, in nats. It is infinite if q is 0 in a bin where p is not."""
    p, q = np.broadcast_arrays(p, q)
    with np.errstate(divide="ignore"):
        ratios = np.log(np.where(p > 0, p, 1)) - np.log(np.where(p > 0, q, 1))
    divergence: Floats = np.where(p > 0, p * ratios, 0).sum(-1)
    return divergence
