"""Compiled loops over features. They read rows once and allocate no arrays of their size.

Distances are sums of squared differences. The expanded form |x|² − 2xc + |c|² cancels, and orders points wrongly far
from the origin or among near-duplicates. Sums are float64. The same instructions process each row, so equal rows have
equal distances.
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
    """Return the squared Euclidean distance of each of ``rows [n, D]`` to ``target [D]``, ``[n]``."""
    distances = np.empty(len(rows))
    for i in range(len(rows)):
        distances[i] = _squared_distance(rows[i], 1.0, target)
    return distances


@compiled
def column_sums(rows: Rows) -> Vector:
    """Return the sum of ``rows [n, D]``, ``[D]``."""
    sums = np.zeros(rows.shape[1])
    for i in range(len(rows)):
        for j in range(len(sums)):
            sums[j] += rows[i, j]
    return sums


@compiled
def nearest(rows: Rows, scale: float, target: Vector, taken: np.ndarray[Any, Any]) -> int:
    """Return the index of the first row not ``taken`` for which ``scale`` · row is nearest to ``target``."""
    best, found = np.inf, -1
    for i in range(len(rows)):
        if not taken[i]:
            distance = _squared_distance(rows[i], scale, target)
            if distance < best:
                best, found = distance, i
    return found


@compiled
def farthest_first(rows: Rows, first: int, count: int) -> np.ndarray[Any, Any]:
    """Return ``count`` rows by greedy k-centre: ``first``, then always the row farthest from all chosen ones.

    The first row wins a tie. Updates are lazy: a row's distance to its nearest chosen row can only fall, so an old
    value is an upper bound. It is updated only while it exceeds the best distance of the current step.
    """
    chosen = np.full(count, first)
    centers = np.empty((count, rows.shape[1]))
    bound = np.full(len(rows), np.inf)
    seen = np.zeros(len(rows), np.int64)
    for step in range(1, count):
        centers[step - 1] = rows[chosen[step - 1]]
        # Less than any distance, so a chosen row cannot win again among duplicates at distance 0.
        bound[chosen[step - 1]] = -1.0
        best = -1.0
        for i in range(len(rows)):
            while bound[i] > best and seen[i] < step:
                bound[i] = min(bound[i], _squared_distance(rows[i], 1.0, centers[seen[i]]))
                seen[i] += 1
            if bound[i] > best:
                best, chosen[step] = bound[i], i
    return chosen
