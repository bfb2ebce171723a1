"""Subgroups of candidates, their centroids on the unit sphere, and the search for one subgroup per class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from ddbench import ComponentError, Pool

# Costs that differ by at most this are equal: float64 rounds equal log-distances differently.
TIE = 1e-12
# A shorter mean of unit vectors is a rounding error and has no direction.
_SHORTEST = 1e-12


def unit_features(pool: Pool, field: str, whose: str) -> Tensor:
    """Return the field of a one-class pool as float64 rows of unit length.

    Args:
        pool: a pool of one class.
        field: the name of the field.
        whose: the owner of the field, for the error message.

    Raises:
        ComponentError: the field is missing, or a row is zero or not finite.
    """
    features = pool.field(field).double().reshape(len(pool), -1)
    norms: Tensor = torch.linalg.vector_norm(features, dim=1, keepdim=True)
    if not (torch.isfinite(norms) & (norms > 0)).all():
        name = pool.class_names[int(pool.labels[0])]
        raise ComponentError(
            f"field '{field}' of {whose} has zero, NaN or infinite vectors for class '{name}', which have no direction",
            hint="check the scorer that wrote it",
        )
    return features / norms


def centroids(sets: Sequence[Tensor], class_name: str) -> Tensor:
    """Return the mean of each set of unit vectors ``[n, D]``, scaled to unit length, ``[len(sets), D]``.

    Raises:
        ComponentError: the vectors of a set cancel, so their mean has no direction.
    """
    means = torch.stack([units.mean(0) for units in sets])
    norms: Tensor = torch.linalg.vector_norm(means, dim=1, keepdim=True)
    if not (norms > _SHORTEST).all():
        raise ComponentError(
            f"features of class '{class_name}' cancel: their mean is zero and has no direction",
            hint="choose a field whose vectors differ less within a class",
        )
    return means / norms


def log_distances(a: Tensor, b: Tensor, eps: float) -> Tensor:
    """Return log(1 − cos + eps) between unit vectors ``a [n, D]`` and ``b [m, D]``, ``[n, m]``.

    1 − cos is computed as half the squared length of the difference, which is exactly 0 for equal vectors. With eps 0,
    their logarithm is that of the smallest normal number, not −∞.
    """
    gaps = torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
    return (gaps.square() / 2 + eps).clamp_min(torch.finfo(torch.float64).tiny).log()


@dataclass(frozen=True)
class Objective:
    """The loss L(g) = alpha Σ_i A[i, g_i] − weight Σ_{i<j} B[i, g_i, j, g_j]. No array of size (C·G)² is stored.

    Attributes:
        candidates: centroids of each class's subgroups ``[G_i, D]``.
        closeness: A[i, :] of each class, the log-distances of its subgroups to the class's target.
        alpha: weight of closeness.
        weight: weight of separation.
        eps: added to distances.
        against: B is the log-distance to the ``selected`` subgroup of class j, or its mean over ``all`` of them.
    """

    candidates: Sequence[Tensor]
    closeness: Sequence[Tensor]
    alpha: float
    weight: float
    eps: float
    against: Literal["selected", "all"]

    @cached_property
    def _stacked(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return all centroids stacked, the class of each, and the first index of each class."""
        sizes = torch.tensor([len(own) for own in self.candidates])
        owners = torch.arange(len(sizes)).repeat_interleave(sizes)
        return torch.cat(list(self.candidates)), owners, sizes.cumsum(0) - sizes

    def separation(self, i: int, rows: slice, chosen: Sequence[int]) -> Tensor:
        """Return Σ_{j≠i} B for subgroups ``rows`` of class i, with subgroup ``chosen[j]`` of each class j."""
        others, owners, starts = self._stacked
        if self.against == "selected":
            others, owners = others[starts + torch.tensor(chosen)], torch.arange(len(starts))
        shares = 1 / owners.bincount()[owners].double()
        shares[owners == i] = 0
        return (log_distances(self.candidates[i][rows], others, self.eps) * shares).sum(1)

    def class_costs(self, i: int, chosen: Sequence[int]) -> Tensor:
        """Return the terms of L that depend on g_i, for each subgroup of class i.

        A pair of selected subgroups appears once for each of its two classes. A mean over all subgroups of the other
        class does not depend on that class's choice. It counts half, as in the sum over ordered pairs.
        """
        weight = self.weight if self.against == "selected" else self.weight / 2
        return self.alpha * self.closeness[i] - weight * self.separation(i, slice(None), chosen)

    def terms(self, chosen: Sequence[int]) -> tuple[float, float]:
        """Return Σ_i A[i, g_i] and Σ_{i<j} B[i, g_i, j, g_j], the latter as half the sum over ordered pairs."""
        near = sum(float(row[g]) for row, g in zip(self.closeness, chosen, strict=True))
        far = sum(float(self.separation(i, slice(g, g + 1), chosen)) for i, g in enumerate(chosen))
        return near, far / 2

    def loss(self, chosen: Sequence[int]) -> float:
        """Return L."""
        near, far = self.terms(chosen)
        return self.alpha * near - self.weight * far

    def nearest(self) -> list[int]:
        """Return each class's subgroup nearest to its target."""
        return [first_lowest(row) for row in self.closeness]


@dataclass(frozen=True)
class Found:
    """The result of a search.

    Attributes:
        chosen: one subgroup per class.
        losses: L at the start and after each sweep.
    """

    chosen: tuple[int, ...]
    losses: tuple[float, ...]


def first_lowest(costs: Tensor) -> int:
    """Return the index of the first of the lowest costs; costs within ``TIE`` are ties."""
    return int((costs <= costs.min() + TIE).nonzero()[0])


def descend(objective: Objective, start: Sequence[int], max_sweeps: int) -> Found:
    """Minimise by coordinate descent: each class in turn moves to its best subgroup, until a sweep moves none.

    A class moves only if its cost falls by more than ``TIE``, so L falls at each move.
    """
    chosen, losses = list(start), [objective.loss(start)]
    for _ in range(max_sweeps):
        moved = False
        for i, current in enumerate(chosen):
            costs = objective.class_costs(i, chosen)
            best = first_lowest(costs)
            if costs[current] - costs[best] > TIE:
                chosen[i], moved = best, True
        losses.append(objective.loss(chosen))
        if not moved:
            break
    return Found(tuple(chosen), tuple(losses))
