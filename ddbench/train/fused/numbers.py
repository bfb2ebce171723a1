"""bfloat16 in compiled loops: numpy has no such type, so its arrays hold the bits, uint16; arithmetic is float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, overload

_Decorator = Callable[[Callable[..., Any]], Any]


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


@cast("Callable[..., _Decorator]", overload)(number, inline="always")
def _number(value: Any) -> Any:
    def of_float(value: Any) -> Any:
        return value

    def of_bits(value: Any) -> Any:
        return _float_of(types.uint32(value) << types.uint32(16))

    return of_bits if value == types.uint16 else of_float


@cast("Callable[..., _Decorator]", overload)(put, inline="always")
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
