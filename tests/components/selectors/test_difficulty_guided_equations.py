"""Difficulty-guided sampling against its equations in scalars."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from difficulty_pools import VARIANTS, bin_of, choose, pool_of, random_scores


def counts_of(values: Sequence[float], bins: int) -> list[int]:
    found = Counter(bin_of(v, bins) for v in values)
    return [found[k] for k in range(bins)]


def transformed(scores: Sequence[float], variant: str, b: int, t: int, eps: float) -> list[float]:
    """Return the transformed score of each sample, in the given order."""
    n = len(scores)
    order = sorted(range(n), key=lambda i: (scores[i], i))
    ascending = [scores[i] for i in order]
    if variant == "paper":
        clipped = [(s if b <= rank < n - t else 0) + eps for rank, s in enumerate(ascending)]
        low, high = min(clipped), max(clipped)
    else:
        low, high = ascending[min(b, n - 1)], ascending[max(n - 1 - t, 0)]
        clipped = [min(max(s, low), high) for s in ascending]
        low = low or eps
    if high <= low:
        return list(scores)
    logs = [0.0 if x <= low else math.log(x / low) / math.log(high / low) for x in clipped]
    return [logs[order.index(i)] for i in range(n)]


def kl(p: Sequence[float], q: Sequence[float]) -> float:
    return sum(math.inf if b == 0 else a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def divergence(scores: Sequence[float], after: Sequence[int], variant: str, bins: int, eps: float, lam: float) -> float:
    n = len(scores)
    p, f, u = [c / n for c in counts_of(scores, bins)], [c / n for c in after], [1 / bins] * bins
    if variant == "paper":
        q = [(x + eps) / (1 + bins * eps) for x in p]
        return lam * kl(f, q) + (1 - lam) * kl(f, u)
    return (lam * kl(p, f) + (1 - lam) * kl(u, f)) / math.log(2)


def largest_remainder(counts: Sequence[int], total: int) -> list[int]:
    exact = [total * c / sum(counts) for c in counts]
    quotas = [math.floor(x + 1e-9) for x in exact]
    for _ in range(total - sum(quotas)):
        worst = max(range(len(counts)), key=lambda i: (round(exact[i] - quotas[i], 9), -i))
        quotas[worst] += 1
    return quotas


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_equations_in_scalars(variant: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(150):
        ipc = int(rng.integers(1, 15))
        n, bins = ipc * int(rng.integers(1, 6)), int(rng.choice([2, 5, 10]))
        eps, lam = float(rng.choice([1e-4, 1e-2])), float(rng.choice([0, 0.3, 0.5, 1]))
        scores, real = random_scores(rng, n), random_scores(rng, int(rng.integers(1, 60)))
        chosen = choose(pool_of(scores, real), ipc, variant=variant, bins=bins, epsilon=eps, weight=lam)
        places = 4 if variant == "released" else 12
        seen, seen_real = scores.round(places).tolist(), real.round(places).tolist()

        b, t = chosen.info["bottom"], chosen.info["top"]
        pairs = [(i, j) for i in range(max(ipc // 2, 1)) for j in range(max(ipc // 2, 1))]
        after = {pair: counts_of(transformed(seen, variant, *pair, eps), bins) for pair in pairs}
        terms = {pair: divergence(seen, after[pair], variant, bins, eps, lam) for pair in pairs if lam not in (0, 1)}
        if terms:
            ours = math.inf if chosen.info["divergence"] is None else chosen.info["divergence"]
            assert ours == pytest.approx(terms[b, t], abs=1e-9)
            assert terms[b, t] <= min(terms.values()) + 1e-9
        same = [pair for pair in pairs if after[pair] == after[b, t]]
        assert (b, t) == same[0], "the lowest of equal thresholds"

        assert chosen.info["available"] == after[b, t]
        counts = counts_of(transformed(seen_real, variant, b, t, eps), bins)
        assert chosen.info["quota"] == largest_remainder(counts, ipc)
        where = [bin_of(v, bins) for v in transformed(seen, variant, b, t, eps)]
        drawn = [where[i] for i in chosen.indices]
        met = [min(q, a) for q, a in zip(chosen.info["quota"], after[b, t], strict=True)]
        assert chosen.info["filled"] == ipc - sum(met)
        assert drawn[: sum(met)] == [k for k, m in enumerate(met) for _ in range(m)], "bin by bin, easiest first"
        assert list(chosen.scores or []) == pytest.approx([seen[i] for i in chosen.indices], abs=1e-9)


def test_zero_weight_leaves_out_an_infinite_divergence() -> None:
    """Every transform of ten equal easy and one hard score leaves bins empty: from uniform, it is infinitely far."""
    scores = [0.015] * 10 + [0.95] * 10
    assert choose(pool_of(scores, scores), 4, variant="released", weight=1).info["divergence"] is not None
    assert choose(pool_of(scores, scores), 4, variant="released", weight=0).info["divergence"] is None
