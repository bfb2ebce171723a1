"""Loops over features that are compiled: rows are read once and nothing of their size is written.

Differences are formed first. The expanded form |x|² − 2xc + |c|² would cancel: far from the origin, or among
near-duplicates, it orders points wrongly. Everything is summed in float64, each row by the same instructions, so that
equal rows are equally far from anything, wherever they stand.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from ddbench.toolkit import compiled

Rows: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]
Vector: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


@compiled
def _squared_distance(row: Rows, scale: float, target: Vector) -> float:
    total = 0.0
    for j in range(len(row)):
        difference = scale * row[j] - target[j]
        total += difference * difference
    return total


@compiled
def squared_distances(rows: Rows, target: Vector) -> Vector:
    """Squared Euclidean distance of each of ``rows [n, D]`` to ``target [D]``, ``[n]``."""
    distances = np.empty(len(rows))
    for i in range(len(rows)):
        distances[i] = _squared_distance(rows[i], 1.0, target)
    return distances


@compiled
def column_sums(rows: Rows) -> Vector:
    """The sum of ``rows [n, D]``, ``[D]``."""
    sums = np.zeros(rows.shape[1])
    for i in range(len(rows)):
        for j in range(len(sums)):
            sums[j] += rows[i, j]
    return sums


@compiled
def nearest(rows: Rows, scale: float, target: Vector, taken: np.ndarray[Any, Any]) -> int:
    """The first of those not ``taken`` for which ``scale`` times the row is nearest ``target``."""
    best, found = np.inf, -1
    for i in range(len(rows)):
        if not taken[i]:
            distance = _squared_distance(rows[i], scale, target)
            if distance < best:
                best, found = distance, i
    return found


@compiled
def farthest_first(rows: Rows, first: int, count: int) -> np.ndarray[Any, Any]:
    """Greedy k-centre: from ``first``, ``count`` times the row farthest from those chosen, the first of equals.

    Lazy: a row's distance to the nearest chosen one can only fall, so what was known of it earlier bounds it. It is
    brought up to date, one chosen row after another, only as long as the bound exceeds the best of this step.
    """
    chosen = np.full(count, first)
    centers = np.empty((count, rows.shape[1]))
    bound = np.full(len(rows), np.inf)
    seen = np.zeros(len(rows), np.int64)
    for step in range(1, count):
        centers[step - 1] = rows[chosen[step - 1]]
        # Below every distance: among duplicates all distances are 0, and a chosen row must not win again.
        bound[chosen[step - 1]] = -1.0
        best = -1.0
        for i in range(len(rows)):
            while bound[i] > best and seen[i] < step:
                bound[i] = min(bound[i], _squared_distance(rows[i], 1.0, centers[seen[i]]))
                seen[i] += 1
            if bound[i] > best:
                best, chosen[step] = bound[i], i
    return chosen
