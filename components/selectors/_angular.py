"""Angles between unit vectors, computed so that equal vectors have equal angles wherever they stand.

Coordinates are multiples of 2⁻²⁶. Every product of two is then a multiple of 2⁻⁵² and every partial sum of an inner
product lies below 2, so that float64 forms inner products without rounding: in any order, in blocks of any shape.
Angles are rounded to multiples of 2⁻³² rad for the same reason: below 2²¹ rad float64 adds and subtracts them exactly.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, TypeAlias, TypeVar, cast

import numba
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ddbench import ComponentError, Pool

from ._features import class_features

Singles: TypeAlias = NDArray[np.float32]
Function = TypeVar("Function", bound=Callable[..., Any])

LARGEST_COSINE: Final = 1 - 1e-6
PER_RADIAN: Final = 2.0**32
_PER_UNIT = 2.0**26
# 256 x 512 float64 stay in the second-level cache; an angle block of 1024 x 1024 in the third.
_ROWS, _BLOCK = 256, 1024


def _compiled(function: Function) -> Function:
    """Compiled when first called, and kept beside the module for the next process."""
    return cast("Function", numba.njit(cache=True, fastmath={"contract", "reassoc"})(function))


@_compiled
def to_unit(rows: Singles, unit: Singles) -> None:
    """Fill ``unit`` with ``rows`` at unit length on the grid of 2⁻²⁶; zero rows stay zero, at π/2 to everything."""
    for i in range(len(unit)):
        row, squares = rows[i], 0.0
        for k in range(len(row)):
            squares += np.float64(row[k]) * np.float64(row[k])
        scale = _PER_UNIT / math.sqrt(squares) if squares > 0 else 0.0
        for k in range(len(row)):
            unit[i, k] = np.rint(row[k] * scale) / _PER_UNIT


def unit_rows(rows: Tensor) -> Tensor:
    """``rows [n, D]`` as ``to_unit`` makes them."""
    unit = torch.empty_like(rows)
    to_unit(rows.numpy(), unit.numpy())
    return unit


def angles(cosines: Tensor) -> Tensor:
    """Angular distance (Eq. 4) of float64 inner products, clamped to ±(1 − 10⁻⁶); in place."""
    limited = cosines.clamp_(-LARGEST_COSINE, LARGEST_COSINE)
    return limited.acos_().mul_(PER_RADIAN).round_().div_(PER_RADIAN)


def image_rows(pool: Pool, field: str) -> Tensor:
    """The field ``field`` of a one-class pool, ``[n, D]``; raises ComponentError as ``class_features`` does."""
    return torch.as_tensor(class_features(pool, field))


def prototypes(pool: Pool, field: str, width: int) -> Tensor:
    """The class field ``field`` as unit rows ``[C, width]``.

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
    return unit_rows(values)


def margins(rows: Tensor, texts: Tensor, own: int, *, relevance: bool = True, separation: bool = True) -> Tensor:
    """Eq. 8, or one of its two terms, of ``rows [n, D]`` whose class is ``own``; float64 ``[n]``.

    Relevance (Eq. 5) is minus the angle to the own prototype, separation (Eq. 6) the angle to the nearest other one:
    0 where there is no other. Prototypes are unit rows, images of any length.
    """
    total = torch.zeros(len(rows), dtype=torch.float64)
    for images, sums in zip(torch.split(rows, _ROWS), torch.split(total, _ROWS), strict=True):
        cosines = unit_rows(images).double() @ texts.double().T
        if relevance:
            sums -= angles(cosines[:, own].clone())
        if separation and len(texts) > 1:
            cosines[:, own] = -torch.inf
            sums += angles(cosines.amax(1))
    return total


def mean_angles(rows: Tensor) -> Tensor:
    """Eq. 7 over ``rows [n, D]``: the mean angle of each to all others, float64 ``[n]``; 0 for a single one."""
    unit, totals = unit_rows(rows), torch.zeros(len(rows), dtype=torch.float64)
    starts = range(0, len(unit), _BLOCK)
    for top in starts:
        above = unit[top : top + _BLOCK].double()
        # The rest follows by symmetry.
        for left in starts[top // _BLOCK :]:
            block = angles(above @ unit[left : left + _BLOCK].double().T)
            if left == top:
                block.fill_diagonal_(0)
            else:
                totals[top : top + _BLOCK] += block.sum(1)
            totals[left : left + _BLOCK] += block.sum(0)
    return totals / max(len(rows) - 1, 1)
