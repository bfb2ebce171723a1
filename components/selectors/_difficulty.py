"""Difficulty of the samples of a class: its histogram, its logarithmic transform, and the search for its thresholds."""

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
    """1 − P(true class) of each sample of a one-class pool (Eq. 6)."""
    probabilities, own = class_probabilities(pool, teacher, columns)
    scores: Floats = 1 - probabilities[:, own].numpy()
    return scores


def bin_of(values: Floats, bins: int) -> Ints:
    """Which of ``bins`` equal intervals of [0, 1] each value is in: half-open above, the last one closed."""
    inner = np.arange(1, bins) / bins
    return np.searchsorted(inner, values, side="right").astype(np.int64)


def histogram(values: Floats, bins: int) -> Ints:
    """How many of the values along the last axis are in each bin, ``[…, bins]``."""
    counts: Ints = (bin_of(values, bins)[..., None] == np.arange(bins)).sum(-2)
    return counts


def apportion(shape: Sequence[int], total: int) -> list[int]:
    """``total`` shared out in the proportions of ``shape``, by largest remainder; the lowest of equal ones first.

    In whole numbers, so that equal remainders are equal.
    """
    whole = sum(shape)
    quotas = [count * total // whole for count in shape]
    by_remainder = sorted(range(len(shape)), key=lambda i: -(shape[i] * total % whole))
    for i in by_remainder[: total - sum(quotas)]:
        quotas[i] += 1
    return quotas


@dataclass(frozen=True)
class Thresholds:
    """How many of the lowest and of the highest scores are clipped, and the divergence that this leaves."""

    bottom: int
    top: int
    divergence: float


@dataclass(frozen=True)
class LogTransform:
    """The transform of a class's difficulties that spreads what crowds near 0, by the paper or by the released code."""

    variant: Literal["paper", "released"]
    bins: int
    epsilon: float
    weight: float

    def apply(self, scores: Floats, bottom: int, top: int) -> Floats:
        """Eq. 7 and 8: the transformed score of each sample. Equal scores are ranked in the order they come in."""
        order = np.argsort(scores, kind="stable")
        transformed = np.empty_like(scores)
        transformed[order] = self.of_ranked(scores[order], bottom, np.array([top]))[0]
        return transformed

    def of_ranked(self, ranked: Floats, bottom: int, tops: Ints) -> Floats:
        """The transform of ascending scores ``[n]`` for each of several top thresholds, ``[len(tops), n]``.

        Where no logarithm can be formed, because highest and lowest are equal after clipping, scores stay as they are.
        """
        clip = self._zeroed if self.variant == "paper" else self._clamped
        clipped, low, high = clip(ranked, bottom, tops[:, None])
        spread = high > low
        span = np.log(np.where(spread, high / low, np.e))
        transformed: Floats = np.where(spread, np.log(clipped / low) / span, ranked)
        return transformed

    def _zeroed(self, ranked: Floats, bottom: int, tops: Ints) -> tuple[Floats, Floats, Floats]:
        """Clipped scores, their lowest and their highest: beyond the thresholds scores are 0, and all are raised."""
        ranks = np.arange(len(ranked))
        kept = (ranks >= bottom) & (ranks < len(ranked) - tops)
        clipped = np.where(kept, ranked, 0) + self.epsilon
        return clipped, clipped.min(1, keepdims=True), clipped.max(1, keepdims=True)

    def _clamped(self, ranked: Floats, bottom: int, tops: Ints) -> tuple[Floats, Floats, Floats]:
        """The same where scores beyond a threshold become the score at it, and only a lowest of 0 is raised."""
        last = len(ranked) - 1
        low = np.array(ranked[min(bottom, last)] or self.epsilon)
        high = ranked[np.maximum(last - tops, 0)]
        return np.clip(ranked, low, np.maximum(high, low)), low, high

    def divergences(self, before: Ints, after: Ints) -> Floats:
        """Eq. 9's trade-off between likeness to ``before [bins]`` and uniformity, for each of ``after [T, bins]``."""
        p, f, uniform = before / before.sum(), after / after.sum(1, keepdims=True), np.full(self.bins, 1 / self.bins)
        if self.variant == "paper":
            smooth = (p + self.epsilon) / (1 + self.bins * self.epsilon)
            like, even = _kl(f, smooth), _kl(f, uniform)
        else:
            like, even = _kl(p, f) / np.log(2), _kl(uniform, f) / np.log(2)
        # A weight of 0 leaves a divergence out, even an infinite one.
        terms = [weight * kl for weight, kl in ((self.weight, like), (1 - self.weight, even)) if weight]
        total: Floats = np.sum(terms, axis=0)
        return total

    def search(self, scores: Floats, below: int) -> Thresholds:
        """The thresholds in 0 … ``below`` − 1 of least divergence; of equal ones the lowest bottom, then top."""
        ranked = np.sort(scores)
        before, tops = histogram(ranked, self.bins), np.arange(max(below, 1))
        rows = [self.divergences(before, histogram(self.of_ranked(ranked, b, tops), self.bins)) for b in tops.tolist()]
        table = np.stack(rows)
        bottom, top = divmod(int(table.argmin()), len(tops))
        return Thresholds(bottom, top, float(table[bottom, top]))


def _kl(p: Floats, q: Floats) -> Floats:
    """Kullback-Leibler divergence of p from q over the last axis, in nats: infinite where q is 0 and p is not."""
    p, q = np.broadcast_arrays(p, q)
    with np.errstate(divide="ignore"):
        ratios = np.log(np.where(p > 0, p, 1)) - np.log(np.where(p > 0, q, 1))
    divergence: Floats = np.where(p > 0, p * ratios, 0).sum(-1)
    return divergence
