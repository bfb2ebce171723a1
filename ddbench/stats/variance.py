"""Variance by seed axis, by the method of moments for nested effects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import TypeAlias

# The seeds of a training by axis, from the outermost axis on, without the training's own.
Path: TypeAlias = tuple[Hashable, ...]
Row: TypeAlias = Sequence[tuple[Path, float]]
_RESIDUAL = "training"


def variance_by_axis(rows: Sequence[Row], axes: Sequence[str]) -> dict[str, float]:
    """Return the variance that each axis adds, pooled over rows with means of their own.

    Each axis is nested in the one before, and trainings in the last. Sums of squares are set to their expectations
    (Henderson's method 1 for nested effects; S. R. Searle, Variance Components, 1992, chapter 5). With equal numbers
    of repetitions this is the analysis of variance. A negative estimate counts as 0.

    Args:
        rows: the trainings of each row: the seeds of its axes, and its accuracy.
        axes: the names of the axes in the order of the seeds.

    Returns:
        The variance of each axis that varies, in squared points. Axes that vary only together are one entry, such as
        ``selection and training``. Empty if nothing is repeated.
    """
    names = [*axes, _RESIDUAL]
    levels = [_Level.at(rows, depth) for depth in range(len(names) + 1)]
    kept: list[_Level] = [levels[0]]
    labels: list[list[str]] = []
    for name, level in zip(names, levels[1:], strict=True):
        if level.groups > kept[-1].groups:
            kept.append(level)
            labels.append([name])
        elif labels:
            labels[-1].append(name)
    if len(kept) == 1:
        return {}
    steps = list(pairwise(kept))
    found: list[float] = []
    # An effect adds equally to the squares of its own level and of those inside it, so the equations are a triangle.
    for number in reversed(range(len(steps))):
        outer, inner = steps[number]
        inside = kept[number + 2 :]
        rest = sum(value * (inner.share(of) - outer.share(of)) for value, of in zip(found, inside, strict=True))
        own = inner.share(inner) - outer.share(inner)
        found.insert(0, (inner.squares - outer.squares - rest) / own)
    return {" and ".join(label): max(0.0, value) for label, value in zip(labels, found, strict=True)}


class _Level:
    """The groups of equal seeds down to one depth.

    Attributes:
        values: the values of each group.
        groups: number of groups.
        squares: the sum over groups of the squared sum of values, divided by their number.
    """

    def __init__(self, values: Mapping[Path, Sequence[float]]) -> None:
        self.values = values
        self.groups = len(values)
        self.squares = sum(sum(own) ** 2 / len(own) for own in values.values())

    @classmethod
    def at(cls, rows: Sequence[Row], depth: int) -> _Level:
        """Return the groups of equal row and equal first ``depth`` seeds."""
        values: dict[Path, list[float]] = defaultdict(list)
        for number, row in enumerate(rows):
            for position, (path, value) in enumerate(row):
                values[number, *(*path, position)[:depth]].append(value)
        return cls(values)

    def share(self, effect: _Level) -> float:
        """Return the factor of an effect's variance in the expectation of ``squares``."""
        depth = len(next(iter(self.values)))
        if len(next(iter(effect.values))) <= depth:
            return float(sum(map(len, self.values.values())))
        sizes: dict[Path, float] = defaultdict(float)
        for path, own in effect.values.items():
            sizes[path[:depth]] += len(own) ** 2
        return sum(size / len(self.values[path]) for path, size in sizes.items())
