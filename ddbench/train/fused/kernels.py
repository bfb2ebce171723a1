"""Loops over images with channels last, ``[n, H, W, C]``; sums are float32, in two passes, as the differences need it.

y = ReLU(γ (x − mean) / deviation + β), mean and deviation of one channel of one image (Ulyanov et al., 2016), then the
mean of each ``pool`` × ``pool`` box; what no whole box covers is left out, as in torch. A ``pool`` of 1 is none, and a
``floor`` of −∞ instead of 0 is no ReLU.

numpy has no bfloat16: its arrays hold the bits, uint16, and arithmetic is float32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, cast

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

from ddbench.toolkit.compilation import compiled

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]
Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]

_ZERO, _ONE = np.float32(0), np.float32(1)
_Decorator: TypeAlias = Callable[[Callable[..., Any]], Any]


@cast("_Decorator", intrinsic)
def _float_of(context: Any, bits: Any) -> Any:
    """The float32 with these 32 bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.uint32), generate


@cast("_Decorator", intrinsic)
def _bits_of(context: Any, value: Any) -> Any:
    """The 32 bits of a float32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.uint32(types.float32), generate


def number(value: Any) -> Any:
    """An element of an array, float32 or the bits of a bfloat16, as float32. For compiled loops only."""
    raise TypeError("for compiled loops only")


def put(array: Any, index: Any, value: Any) -> None:
    """Round a float32, to even, to what ``array`` holds and write it there. For compiled loops only."""
    raise TypeError("for compiled loops only")


@cast("Callable[..., _Decorator]", overload)(number)
def _number(value: Any) -> Any:
    def of_float(value: Any) -> Any:
        return value

    def of_bits(value: Any) -> Any:
        return _float_of(types.uint32(value) << types.uint32(16))

    return of_bits if value == types.uint16 else of_float


@cast("Callable[..., _Decorator]", overload)(put)
def _put(array: Any, index: Any, value: Any) -> Any:
    def as_float(array: Any, index: Any, value: Any) -> None:
        array[index] = value

    def as_bits(array: Any, index: Any, value: Any) -> None:
        bits = _bits_of(types.float32(value))
        rounded = bits + types.uint32(0x7FFF) + ((bits >> types.uint32(16)) & types.uint32(1))
        # Rounding would turn the bits of a NaN into those of something else.
        kept = bits | types.uint32(0x400000) if value != value else rounded
        array[index] = types.uint16(kept >> types.uint32(16))

    return as_bits if array.dtype == types.uint16 else as_float


@compiled
def _moments(image: Array, eps: np.float32, mean: Floats, inverse: Floats) -> None:
    """Mean and inverse deviation of each channel of ``image [H, W, C]``."""
    height, width, channels = image.shape
    share = _ONE / np.float32(height * width)
    mean[:] = _ZERO
    inverse[:] = _ZERO
    for i in range(height):
        for j in range(width):
            for c in range(channels):
                mean[c] += number(image[i, j, c])
    for c in range(channels):
        mean[c] *= share
    for i in range(height):
        for j in range(width):
            for c in range(channels):
                difference = number(image[i, j, c]) - mean[c]
                inverse[c] += difference * difference
    for c in range(channels):
        inverse[c] = _ONE / np.sqrt(inverse[c] * share + eps)


@compiled
def norm_forward(
    x: Array,
    gamma: Floats,
    beta: Floats,
    eps: np.float32,
    floor: np.float32,
    pool: int,
    out: Array,
    mean: Floats,
    inverse: Floats,
) -> None:
    """``x [n, H, W, C]`` to ``out [n, H / pool, W / pool, C]``; ``mean`` and ``inverse [n, C]`` for the way back."""
    images, rows, columns, channels = out.shape
    share = _ONE / np.float32(pool * pool)
    scale, shift, total = np.empty(channels, np.float32), np.empty(channels, np.float32), np.empty(channels, np.float32)
    for n in range(images):
        _moments(x[n], eps, mean[n], inverse[n])
        for c in range(channels):
            scale[c] = gamma[c] * inverse[n, c]
            shift[c] = beta[c] - mean[n, c] * scale[c]
        for i in range(rows):
            for j in range(columns):
                total[:] = _ZERO
                for a in range(pool):
                    for b in range(pool):
                        for c in range(channels):
                            y = scale[c] * number(x[n, pool * i + a, pool * j + b, c]) + shift[c]
                            total[c] += floor if y < floor else y
                for c in range(channels):
                    put(out, (n, i, j, c), share * total[c])


@compiled
def norm_backward(
    grad: Array,
    x: Array,
    gamma: Floats,
    beta: Floats,
    floor: np.float32,
    pool: int,
    mean: Floats,
    inverse: Floats,
    grad_x: Array,
    grad_gamma: Floats,
    grad_beta: Floats,
) -> None:
    """Gradients by x, γ and β of what ``norm_forward`` did; those of γ and β, ``[C]``, are added to what is there.

    With d the gradient by the norm's output and z the normalised x: γ / deviation · (d − mean d − z · mean(d z)).
    """
    images, height, width, channels = x.shape
    rows, columns = grad.shape[1:3]
    share, spread = _ONE / np.float32(pool * pool), _ONE / np.float32(height * width)
    scale, shift = np.empty(channels, np.float32), np.empty(channels, np.float32)
    plain, moment = np.empty(channels, np.float32), np.empty(channels, np.float32)
    for n in range(images):
        plain[:] = _ZERO
        moment[:] = _ZERO
        for c in range(channels):
            scale[c] = gamma[c] * inverse[n, c]
            shift[c] = beta[c] - mean[n, c] * scale[c]
        for i in range(pool * rows):
            for j in range(pool * columns):
                row, column = i // pool, j // pool
                for c in range(channels):
                    value = number(x[n, i, j, c])
                    d = number(grad[n, row, column, c])
                    d = d if scale[c] * value + shift[c] > floor else _ZERO
                    plain[c] += d
                    moment[c] += d * (value - mean[n, c])
        for c in range(channels):
            plain[c] *= share
            moment[c] *= share * inverse[n, c]
            grad_beta[c] += plain[c]
            grad_gamma[c] += moment[c]
            # From here on: dx = scale · (share · d) − moment · x − plain.
            moment[c] *= spread * inverse[n, c] * scale[c]
            plain[c] = scale[c] * spread * plain[c] - moment[c] * mean[n, c]
        for i in range(height):
            for j in range(width):
                row, column = i // pool, j // pool
                if row < rows and column < columns:
                    for c in range(channels):
                        value = number(x[n, i, j, c])
                        d = number(grad[n, row, column, c])
                        d = d if scale[c] * value + shift[c] > floor else _ZERO
                        put(grad_x, (n, i, j, c), scale[c] * share * d - moment[c] * value - plain[c])
                else:
                    for c in range(channels):
                        put(grad_x, (n, i, j, c), -moment[c] * number(x[n, i, j, c]) - plain[c])


@compiled
def pool_forward(x: Array, pool: int, out: Array) -> None:
    """``x [n, H, W, C]`` to the means of its boxes, ``out [n, H / pool, W / pool, C]``."""
    images, rows, columns, channels = out.shape
    share = _ONE / np.float32(pool * pool)
    total = np.empty(channels, np.float32)
    for n in range(images):
        for i in range(rows):
            for j in range(columns):
                total[:] = _ZERO
                for a in range(pool):
                    for b in range(pool):
                        for c in range(channels):
                            total[c] += number(x[n, pool * i + a, pool * j + b, c])
                for c in range(channels):
                    put(out, (n, i, j, c), share * total[c])


@compiled
def pool_backward(grad: Array, pool: int, grad_x: Array) -> None:
    """The gradient by x of what ``pool_forward`` did."""
    images, height, width, channels = grad_x.shape
    rows, columns = grad.shape[1:3]
    share = _ONE / np.float32(pool * pool)
    for n in range(images):
        for i in range(height):
            for j in range(width):
                row, column = i // pool, j // pool
                if row < rows and column < columns:
                    for c in range(channels):
                        put(grad_x, (n, i, j, c), share * number(grad[n, row, column, c]))
                else:
                    for c in range(channels):
                        put(grad_x, (n, i, j, c), _ZERO)
