"""S³ written out in scalars from its equations, and problems for it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

import ddbench
from ddbench import Context, Pool, Selection, Selector

FIELD = "teacher.embedding"
TIE = 1e-12
Vector = list[float]
Array = np.ndarray[Any, Any]


def selector(**params: Any) -> Selector:
    return cast("Selector", ddbench.create("selector", "s3", **params))


def unit(v: Sequence[float]) -> Vector:
    norm = math.sqrt(math.fsum(x * x for x in v))
    return [x / norm for x in v]


def centroid(vectors: Sequence[Sequence[float]]) -> Vector:
    return unit([math.fsum(column) / len(vectors) for column in zip(*map(unit, vectors), strict=True)])


def log_distance(a: Vector, b: Vector, eps: float) -> float:
    """1 − cos of unit vectors is half the square of their difference; no cancellation, so that ties are ties."""
    return math.log(math.fsum((x - y) ** 2 for x, y in zip(a, b, strict=True)) / 2 + eps)


class Reference:
    """Everything of one problem, from lists of subgroups and of real vectors."""

    def __init__(
        self,
        groups: Sequence[Sequence[Sequence[Vector]]],
        real: Sequence[Sequence[Vector]],
        alpha: float = 0.4,
        beta: float = 0.9,
        eps: float = 1e-6,
        norm: str = "sum",
        sep: str = "selected",
    ) -> None:
        self.c = [[centroid(group) for group in own] for own in groups]
        r = [centroid(own) for own in real]
        self.a = [[log_distance(c, r[i], eps) for c in own] for i, own in enumerate(self.c)]
        self.alpha, self.eps, self.sep = alpha, eps, sep
        self.w = beta if norm == "sum" else 2 * beta / max(len(groups) - 1, 1)
        self.narrowest = math.inf

    def b(self, i: int, g: int, j: int, chosen: Sequence[int]) -> float:
        if self.sep == "selected":
            return log_distance(self.c[i][g], self.c[j][chosen[j]], self.eps)
        return sum(log_distance(self.c[i][g], h, self.eps) for h in self.c[j]) / len(self.c[j])

    def loss(self, chosen: Sequence[int]) -> float:
        pairs = [(i, j) for i in range(len(chosen)) for j in range(len(chosen)) if i != j]
        near = sum(self.a[i][g] for i, g in enumerate(chosen))
        return self.alpha * near - self.w / 2 * sum(self.b(i, chosen[i], j, chosen) for i, j in pairs)

    def cost(self, i: int, g: int, chosen: Sequence[int]) -> float:
        w = self.w if self.sep == "selected" else self.w / 2
        others = [j for j in range(len(chosen)) if j != i]
        return self.alpha * self.a[i][g] - w * sum(self.b(i, g, j, chosen) for j in others)

    def lowest(self, costs: Sequence[float]) -> int:
        best = next(g for g, cost in enumerate(costs) if cost <= min(costs) + TIE)
        for g, cost in enumerate(costs):
            if g != best:
                self.narrowest = min(self.narrowest, abs(cost - costs[best]) / max(abs(costs[best]), TIE))
        return best

    def descend(self, start: Sequence[int] | None = None, sweeps: int = 5) -> list[int]:
        chosen = [self.lowest(own) for own in self.a] if start is None else list(start)
        for _ in range(sweeps):
            before = list(chosen)
            for i in range(len(chosen)):
                costs = [self.cost(i, g, chosen) for g in range(len(self.c[i]))]
                best = self.lowest(costs)
                if costs[chosen[i]] - costs[best] > TIE:
                    chosen[i] = best
            if chosen == before:
                break
        return chosen

    def exhaustive(self) -> float:
        return min(self.loss(chosen) for chosen in itertools.product(*(range(len(own)) for own in self.c)))


class Problem:
    """Subgroups ``[C, G, K, D]`` in consecutive blocks of a pool whose classes alternate, and real images."""

    def __init__(self, features: Array, real: Array) -> None:
        self.features, self.real = features, real
        classes, groups, size, _ = features.shape
        self.size = size
        labels = [c for _ in range(groups * size) for c in range(classes)]
        names = [f"class {c}" for c in range(classes)]
        rows = features.reshape(classes, groups * size, -1).transpose(1, 0, 2).reshape(len(labels), -1)
        real_rows = real.transpose(1, 0, 2).reshape(-1, real.shape[-1])
        real_labels = [c for _ in range(real.shape[1]) for c in range(classes)]
        real_pool = Pool.from_arrays(labels=real_labels, class_names=names, fields={FIELD: real_rows})
        self.pool = Pool.from_arrays(labels=labels, class_names=names, fields={FIELD: rows}, real=real_pool)

    def reference(self, **params: Any) -> Reference:
        return Reference(self.features.astype(float).tolist(), self.real.astype(float).tolist(), **params)

    def select(self, seed: int = 0, **params: Any) -> Selection:
        chosen = selector(**{"grouping": "given", **params}).select(self.pool, self.size, Context(seed=seed))
        for own, places, g in zip(chosen.per_class, self.pool.by_class, chosen.info["subgroup"], strict=True):
            assert own == places[g * self.size : (g + 1) * self.size], "a whole subgroup in pool order"
        return chosen


def random_problem(rng: np.random.Generator, classes: int | None = None, spread: float = 1.0) -> Problem:
    c = int(rng.integers(1, 6)) if classes is None else classes
    g, k, d = (int(rng.integers(1, high)) for high in (6, 4, 7))
    means = rng.normal(size=(c, 1, 1, d + 1))
    features = (means + spread * rng.normal(size=(c, g, k, d + 1))).astype(np.float32)
    return Problem(features, (means[:, 0] + spread * rng.normal(size=(c, 4, d + 1))).astype(np.float32))
