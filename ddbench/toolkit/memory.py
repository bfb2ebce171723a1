"""Translate out-of-memory errors into one line with a remedy. Torch is imported only after an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from ddbench.errors import ComponentError

T = TypeVar("T")
MORE_MEMORY = "run fewer workers, or use a device with more memory"
# Messages of a CPU's allocator, of CUDA, and of CUDA's libraries. These errors have no own class.
_MESSAGES = ("can't allocate memory", "CUDA error: out of memory", "ALLOC_FAILED")


@contextmanager
def oom_as_component_error(during: str, hint: str) -> Iterator[None]:
    """Re-raise an out-of-memory error as a ComponentError "out of memory ``during``", with ``hint``."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not _ran_out(error):
            raise
        raise ComponentError(f"out of memory {during}", hint=hint) from error


def enough_memory(what: str, parameter: str | None = None, value: int = 1) -> AbstractContextManager[None]:
    """Re-raise an out-of-memory error as a ComponentError that names the parameter to lower.

    Args:
        what: the work that needs the memory.
        parameter: the component's parameter that decides how much memory it needs, if there is one.
        value: the number of images that are computed together under that parameter.
    """
    lower = parameter is not None and value > 1
    hint = f"lower its parameter '{parameter}' from {value} to {value // 2}" if lower else MORE_MEMORY
    return oom_as_component_error(f"for {what}", hint)


def in_pieces(what: str, count: int, most: int, do: Callable[[slice], T]) -> list[T]:
    """Apply ``do`` to slices of ``count`` items, and return the results. Halve the slices when memory runs out.

    Args:
        what: the name of one item in messages.
        count: the number of items.
        most: the initial maximum number of items in a slice.
        do: computes one slice.

    Raises:
        ComponentError: there is not enough memory for one item.
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
                continue  # leaving the handler frees the tensors that the error refers to
        start = span.stop
    return made


def _ran_out(error: Exception) -> bool:
    if isinstance(error, MemoryError) or any(message in str(error) for message in _MESSAGES):
        return True
    import torch

    return isinstance(error, torch.OutOfMemoryError)
