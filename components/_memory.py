"""When memory runs out: which parameter to lower, and to what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from ddbench import ComponentError

T = TypeVar("T")
# What a CPU's allocator says, CUDA's own where torch's is not asked, and CUDA's libraries: none has a class of its own.
_SAID = ("can't allocate memory", "CUDA error: out of memory", "ALLOC_FAILED")


@contextmanager
def enough_memory(what: str, parameter: str | None = None, value: int = 1) -> Iterator[None]:
    """Tell in one line that there was not enough for ``what``, of which ``parameter``, if one does, says how much."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _ran_out(error):
            raise
        hint = "run fewer workers, or use a device with more memory"
        if parameter is not None and value > 1:
            hint = f"lower its parameter '{parameter}' from {value} to {value // 2}"
        raise ComponentError(f"out of memory for {what}", hint=hint) from error


def in_pieces(what: str, count: int, most: int, do: Callable[[slice], T]) -> list[T]:
    """What ``do`` makes of ``count`` things, ``most`` at once; where memory runs out it goes on with half as many.

    Raises ComponentError where there is not enough for one: that is ``what``.
    """
    made: list[T] = []
    start = 0
    while start < count:
        span = slice(start, min(start + most, count))
        if most == 1:
            with enough_memory(what):
                made.append(do(span))
        else:
            try:
                made.append(do(span))
            except (MemoryError, RuntimeError) as error:
                if not _ran_out(error):
                    raise
                most //= 2
                continue  # what the error holds is let go before it is tried again
        start = span.stop
    return made


def _ran_out(error: Exception) -> bool:
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(said in str(error) for said in _SAID)
