"""Angles between embeddings, in float64."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ddbench import ComponentError, Pool

from ._features import class_features

LARGEST_COSINE: Final = 1 - 1e-6
# Angles, or sums of a few angles, are equal if they differ by at most this. Copies of a row differ far less, by the
# float64 rounding that depends on their position in a product.
EQUAL: Final = 1e-9
# 256 x 512 float64 fit into the second-level cache; 1024 x 1024 angles fit into the third.
_ROWS, _BLOCK = 256, 1024


def image_rows(pool: Pool, field: str) -> Tensor:
    """Return the field of a one-class pool, ``[n, D]`` float32. Raise ComponentError as ``class_features`` does."""
    return torch.as_tensor(class_features(pool, field))


def prototypes(pool: Pool, field: str, width: int) -> Tensor:
    """Return the class field, ``[C, width]`` float32.

    Raises:
        ComponentError: it is missing, has another shape, or contains NaN or infinite values.
    """
    values = pool.class_field(field).float()
    if values.shape != (len(pool.class_names), width):
        raise ComponentError(
            f"class field '{field}' is {' x '.join(map(str, values.shape))}, not {len(pool.class_names)} x {width}: "
            "one prototype per class, as wide as the image features",
            hint="use images and prototypes from the same scorer",
        )
    unusable = (~torch.isfinite(values)).any(1).nonzero()
    if len(unusable):
        raise ComponentError(
            f"class field '{field}' has NaN or infinite values for class '{pool.class_names[int(unusable[0])]}'",
            hint="check the scorer that wrote it",
        )
    return values


def lengths(rows: Tensor) -> Tensor:
    """Return the Euclidean lengths ``[n, 1]`` of float64 ``rows [n, D]``; 1 for zero rows, so their angles are π/2."""
    found: Tensor = torch.linalg.vector_norm(rows, dim=1, keepdim=True)
    return found.where(found > 0, 1)


def unit(rows: Tensor) -> Tensor:
    """Return ``rows [n, D]`` at unit length, float64."""
    exact = rows.double()
    return exact / lengths(exact)


def angles(cosines: Tensor) -> Tensor:
    """Replace inner products in place by angular distances (Eq. 4), after clamping them to ±(1 − 10⁻⁶)."""
    return cosines.clamp_(-LARGEST_COSINE, LARGEST_COSINE).acos_()


def margins(rows: Tensor, texts: Tensor, own: int, *, relevance: bool = True, separation: bool = True) -> Tensor:
    """Return the margin (Eq. 8), or one of its two terms, of ``rows [n, D]`` of class ``own``; float64 ``[n]``.

    Relevance (Eq. 5) is minus the angle to the prototype of the class. Separation (Eq. 6) is the angle to the nearest
    other prototype, or 0 without another one.
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
    """Return the mean angle (Eq. 7) of each of ``rows [n, D]`` to all others, float64 ``[n]``; 0 for a single row."""
    totals, starts = torch.zeros(len(rows), dtype=torch.float64), range(0, len(rows), _BLOCK)
    for top in starts:
        above = unit(rows[top : top + _BLOCK])
        # Blocks below the diagonal follow by symmetry.
        for left in starts[top // _BLOCK :]:
            block = angles(above @ unit(rows[left : left + _BLOCK]).T)
            if left == top:
                block.fill_diagonal_(0)
            else:
                totals[top : top + _BLOCK] += block.sum(1)
            totals[left : left + _BLOCK] += block.sum(0)
    return totals / max(len(rows) - 1, 1)


def ranked(scores: Tensor) -> Tensor:
    """Return positions by descending score, ties in order. Scores linked by steps of at most ``EQUAL`` are ties."""
    order = scores.argsort(descending=True)
    steps = scores[order].diff() < -EQUAL
    group = torch.zeros(len(scores), dtype=torch.long)
    group[order[1:]] = steps.cumsum(0)
    return group.argsort(stable=True)
