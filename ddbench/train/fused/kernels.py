"""Compiled loops over channels-last images, ``[n, H, W, C]``, with float32 sums.

Instance norm (Ulyanov et al., 2016) computes y = ReLU(γ (x − mean) / deviation + β) for each channel of each image.
Mean and deviation take two passes, for accuracy. An average pool over ``pool`` × ``pool`` boxes follows; incomplete
boxes are dropped, as in torch. ``pool`` 1 means no pool, and ``floor`` −∞ means no ReLU.

numpy has no bfloat16, so arrays hold its bits as uint16. Arithmetic is float32.
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
Pair: TypeAlias = tuple[Floats, Floats]

_ZERO, _ONE = np.float32(0), np.float32(1)
_Decorator: TypeAlias = Callable[[Callable[..., Any]], Any]


@cast("_Decorator", intrinsic)
def _float_of(context: Any, bits: Any) -> Any:
    """Reinterpret 32 bits as a float32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.uint32), generate


@cast("_Decorator", intrinsic)
def _bits_of(context: Any, value: Any) -> Any:
    """Reinterpret a float32 as 32 bits."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.uint32(types.float32), generate


def number(value: Any) -> Any:
    """Convert an array element, float32 or the bits of a bfloat16, to float32. For compiled loops only."""
    raise TypeError("for compiled loops only")


def put(array: Any, index: Any, value: Any) -> None:
    """Write a float32 to ``array``, rounded to even if it holds bfloat16. For compiled loops only."""
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
    """Compute the mean and inverse deviation of each channel of ``image [H, W, C]``."""
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
    """Map ``x [n, H, W, C]`` to ``out [n, H / pool, W / pool, C]``; fill ``mean`` and ``inverse [n, C]``."""
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
def norm_backward(grad: Array, x: Array, affine: Pair, floor: np.float32, pool: int, moments: Pair, out: Any) -> None:
    """Compute the gradients of ``norm_forward`` by x, γ and β; those of γ and β, ``[C]``, are accumulated.

    The gradient by x is γ / deviation · (d − mean d − z · mean(d z)). Here d is the gradient by the norm's output,
    and z the normalised x. ``affine`` holds γ and β, ``moments`` mean and inverse, ``out`` the three gradients.
    """
    (gamma, beta), (mean, inverse), (grad_x, grad_gamma, grad_beta) = affine, moments, out
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
    """Map ``x [n, H, W, C]`` to the means of its boxes, ``out [n, H / pool, W / pool, C]``."""
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
    """Compute the gradient of ``pool_forward`` by x."""
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
