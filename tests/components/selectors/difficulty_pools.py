"""Pools of known difficulties, and difficulty-guided choices from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

import ddbench
from ddbench import Chosen, Context, Pool, Selector

Array = np.ndarray[Any, Any]
VARIANTS = ["paper", "released"]


def selector(**params: Any) -> Selector:
    return cast("Selector", ddbench.create("selector", "difficulty-guided", **params))


def logits_of(difficulties: Sequence[float] | Array) -> Array:
    """Two outputs, of which the first is the class's: its probability is 1 − difficulty; exactly so at 0, ½ and 1."""
    odds = [
        0.0 if d == 0.5 else math.copysign(800, 0.5 - d) if d in (0, 1) else math.log(1 / d - 1) for d in difficulties
    ]
    return np.array([[o, 0] for o in odds]).reshape(-1, 2)


def pool_of(difficulties: Sequence[float] | Array, real: Sequence[float] | Array | None = None) -> Pool:
    """One class."""
    names = ["terrier", "hound"]
    of_real = None
    if real is not None:
        of_real = Pool.from_arrays(
            labels=[0] * len(real), class_names=names, fields={"teacher.logits": logits_of(real)}
        )
    return Pool.from_arrays(
        labels=[0] * len(difficulties),
        class_names=names,
        fields={"teacher.logits": logits_of(difficulties)},
        class_fields={"teacher.column": [0, 1]},
        real=of_real,
    )


def choose(pool: Pool, ipc: int, seed: int = 0, **params: Any) -> Chosen:
    """``select_class`` for class 0, held to the contract that ``select`` checks."""
    chosen = selector(**params).select_class(pool.of_class(0), ipc, Context(seed=seed))
    assert isinstance(chosen, Chosen)
    assert len(set(chosen.indices)) == len(chosen.indices) == ipc
    assert set(chosen.indices) <= set(range(len(pool.by_class[0])))
    return chosen


def bin_of(value: float, bins: int) -> int:
    return max(k for k in range(bins) if k == 0 or value >= k / bins)


def random_scores(rng: np.random.Generator, n: int) -> Array:
    """Continuous, mostly easy; sometimes few different values, exact zeros, or one value alone."""
    scores = rng.beta(rng.choice([0.3, 1, 3]), rng.choice([0.3, 1, 3]), size=n).clip(1e-6, 1 - 1e-6)
    kind = rng.integers(5)
    if kind == 0:
        scores = rng.choice(scores[: max(n // 4, 1)], size=n)
    elif kind == 1:
        scores[rng.random(n) < rng.choice([0.3, 0.95])] = 0
    elif kind == 2:
        scores[:] = scores[0]
    return scores
