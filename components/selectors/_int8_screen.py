"""An int8 filter that excludes rows that cannot be the nearest; float64 decides among the others."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ddbench.toolkit import compiled

from ._kernels import Rows, Vector

Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

_CODES = 127
# Relative; larger than the float64 error over any number of columns.
_ROUNDING = 1e-10


class Screen(NamedTuple):
    """Rows y = scale · row − center, quantised to int8 with one step per column.

    Attributes:
        codes: quantised values, int8 ``[n, D]``.
        steps: step of each column ``[D]``.
        lengths: Euclidean length of each y ``[n]``.
        code_lengths: Euclidean length of each row of codes ``[n]``.
        errors: Euclidean length of each y minus its dequantised value ``[n]``.
    """

    codes: np.ndarray[Any, np.dtype[np.int8]]
    steps: Vector
    lengths: Vector
    code_lengths: Vector
    errors: Vector


@compiled
def _largest(rows: Rows, scale: float, center: Vector) -> Vector:
    largest = np.zeros(len(center))
    for i in range(len(rows)):
        for j in range(len(center)):
            largest[j] = max(largest[j], abs(scale * rows[i, j] - center[j]))
    return largest


@compiled
def screen(rows: Rows, scale: float, center: Vector) -> Screen:
    """Quantise the rows for ``cannot_be_nearest``."""
    steps = _largest(rows, scale, center) / _CODES
    per_step = 1 / np.where(steps > 0, steps, 1)
    codes = np.empty(rows.shape, np.int8)
    lengths, code_lengths, errors = np.empty(len(rows)), np.empty(len(rows)), np.empty(len(rows))
    for i in range(len(rows)):
        squares, code_squares, error_squares = 0.0, 0.0, 0.0
        for j in range(len(center)):
            value = scale * rows[i, j] - center[j]
            # Truncating a positive number rounds it, and vectorises.
            code = np.int32(value * per_step[j] + (_CODES + 1.5)) - np.int32(_CODES + 1)
            codes[i, j] = code
            error = value - steps[j] * code
            squares += value * value
            code_squares += float(code) * float(code)
            error_squares += error * error
        lengths[i], code_lengths[i], errors[i] = np.sqrt(squares), np.sqrt(code_squares), np.sqrt(error_squares)
    return Screen(codes, steps, lengths, code_lengths, errors)


@compiled
def cannot_be_nearest(screened: Screen, offset: Vector, taken: Flags) -> Flags:
    """Flag the rows that are ``taken`` or certainly not the nearest to −``offset``, despite rounding.

    |y + offset|² is |y|² + 2 y·offset plus a constant. The inner product uses integers. The Cauchy–Schwarz inequality
    bounds its error by the lengths of the rounding errors.
    """
    codes, columns = screened.codes, len(offset)
    weights = screened.steps * offset
    # The finest unit for which sums fit into int32.
    unit = max(np.max(np.abs(weights)) / min(32767, (2**31 - 1) // (_CODES * columns)), 1e-300)
    whole = np.rint(weights / unit).astype(np.int16)
    length, lost = np.sqrt(np.sum(offset**2)), np.sqrt(np.sum((weights - unit * whole) ** 2))
    at_least, limit = np.full(len(codes), np.inf), np.inf
    for i in range(len(codes)):
        if not taken[i]:
            product = np.int32(0)
            for j in range(columns):
                product = np.int32(product + np.int32(codes[i, j]) * np.int32(whole[j]))
            size = screened.lengths[i]
            distance = size * size + 2 * unit * product
            slack = 2 * (screened.errors[i] * length + screened.code_lengths[i] * lost)
            slack += _ROUNDING * (size + length) ** 2
            at_least[i], limit = distance - slack, min(limit, distance + slack)
    return at_least > limit
