"""Angles between embeddings, in float64."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ddbench import ComponentError, Pool

from ._features import class_features

LARGEST_COSINE: Final = 1 - 1e-6
# Angles, or sums of a few, no further apart are equal. Copies differ by the rounding of float64 alone, far less, which
# depends on where in a product they stand.
EQUAL: Final = 1e-9
# 256 x 512 float64 stay in the second-level cache; a block of 1024 x 1024 angles in the third.
_ROWS, _BLOCK = 256, 1024


def image_rows(pool: Pool, field: str) -> Tensor:
    """The field ``field`` of a one-class pool, ``[n, D]`` float32; raises ComponentError as ``class_features`` does."""
    return torch.as_tensor(class_features(pool, field))


def prototypes(pool: Pool, field: str, width: int) -> Tensor:
    """The class field ``field``, ``[C, width]`` float32.

    Raises:
        ComponentError: it is missing, has another shape, or holds NaN or infinite values.
    """
    values = pool.class_field(field).float()
    if values.shape != (len(pool.class_names), width):
        raise ComponentError(
            f"class field '{field}' is {' x '.join(map(str, values.shape))}, not {len(pool.class_names)} x {width}: "
            "one prototype a class, as wide as the image features",
            hint="take images and prototypes from the same scorer",
        )
    unusable = (~torch.isfinite(values)).any(1).nonzero()
    if len(unusable):
        raise ComponentError(
            f"class field '{field}' has NaN or infinite values for class '{pool.class_names[int(unusable[0])]}'",
            hint="look at the scorer that wrote it",
        )
    return values


def lengths(rows: Tensor) -> Tensor:
    """Euclidean lengths of float64 ``rows [n, D]``, ``[n, 1]``; 1 for zero rows, which so stay at π/2 to everything."""
    found: Tensor = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return found.where(found > 0, 1)


def unit(rows: Tensor) -> Tensor:
    """``rows [n, D]`` at unit length, float64."""
    exact = rows.double()
    return exact / lengths(exact)


def angles(cosines: Tensor) -> Tensor:
    """Angular distance (Eq. 4) of inner products, which are clamped to ±(1 − 10⁻⁶); in place."""
    return cosines.clamp_(-LARGEST_COSINE, LARGEST_COSINE).acos_()


def margins(rows: Tensor, texts: Tensor, own: int, *, relevance: bool = True, separation: bool = True) -> Tensor:
    """Eq. 8, or one of its two terms, of ``rows [n, D]`` whose class is ``own``; float64 ``[n]``.

    Relevance (Eq. 5) is minus the angle to the own prototype, separation (Eq. 6) the angle to the nearest other one:
    0 where there is no other.
    """
    total, columns = torch.zeros(len(rows), dtype=torch.float64), unit(texts).T
    for images, sums in zip(torch.split(rows, _ROWS), torch.split(total, _ROWS), strict=True):
        exact = images.double()
        cosines = (exact @ columns).div_(lengths(exact))
        if relevance:
            sums -= angles(cosines[:, own].clone())
        if separation and len(texts) > 1:
            cosines[:, own] = -torch.inf
            sums += angles(cosines.amax(1))
    return total


def mean_angles(rows: Tensor) -> Tensor:
    """Eq. 7 over ``rows [n, D]``: the mean angle of each to all others, float64 ``[n]``; 0 for a single one."""
    totals, starts = torch.zeros(len(rows), dtype=torch.float64), range(0, len(rows), _BLOCK)
    for top in starts:
        above = unit(rows[top : top + _BLOCK])
        # What lies below the diagonal follows by symmetry.
        for left in starts[top // _BLOCK :]:
            block = angles(above @ unit(rows[left : left + _BLOCK]).T)
            if left == top:
                block.fill_diagonal_(0)
            else:
                totals[top : top + _BLOCK] += block.sum(1)
            totals[left : left + _BLOCK] += block.sum(0)
    return totals / max(len(rows) - 1, 1)


def ranked(scores: Tensor) -> Tensor:
    """Positions by descending score, the earlier of equal ones first; what small steps of ``EQUAL`` link is equal."""
    order = scores.argsort(descending=True)
    steps = scores[order].diff() < -EQUAL
    group = torch.zeros(len(scores), dtype=torch.long)
    group[order[1:]] = steps.cumsum(0)
    return group.argsort(stable=True)
