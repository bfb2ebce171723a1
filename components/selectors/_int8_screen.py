"""Which rows certainly are not the nearest, told from a quarter of the bytes: eight bits screen, float64 decides."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np

from ddbench.toolkit import compiled

from ._kernels import Rows, Vector

Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

_CODES = 127
# Relative; float64 over any number of columns errs by less.
_ROUNDING = 1e-10


class Screen(NamedTuple):
    """Rows y = scale · row − center, as whole multiples of a step for each column.

    Attributes:
        codes: the multiples, int8 ``[n, D]``.
        steps: ``[D]``.
        lengths: Euclidean, of y ``[n]``.
        code_lengths: of the codes ``[n]``.
        errors: of y less its multiples ``[n]``.
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
    """The rows as ``cannot_be_nearest`` needs them."""
    steps = _largest(rows, scale, center) / _CODES
    per_step = 1 / np.where(steps > 0, steps, 1)
    codes = np.empty(rows.shape, np.int8)
    lengths, code_lengths, errors = np.empty(len(rows)), np.empty(len(rows)), np.empty(len(rows))
    for i in range(len(rows)):
        squares, code_squares, error_squares = 0.0, 0.0, 0.0
        for j in range(len(center)):
            value = scale * rows[i, j] - center[j]
            # Rounded by truncation of what is positive, which vectorises.
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
    """Those ``taken``, and those that another one is nearer to −``offset`` than, whatever was rounded.

    |y + offset|² is |y|² + 2 y·offset, but for what all have in common. The inner product is formed of whole numbers,
    and off by no more than the Cauchy–Schwarz inequality allows for what was rounded away.
    """
    codes, columns = screened.codes, len(offset)
    weights = screened.steps * offset
    # As fine as sums within int32 permit.
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
