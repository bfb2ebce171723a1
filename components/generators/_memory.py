"""When memory runs out: which parameter to lower, and to what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from ddbench import ComponentError

# How torch says that a CPU has no more memory, which has no class of its own.
_CPU_MEMORY = "can't allocate memory"


@contextmanager
def enough_memory(what: str, parameter: str, value: int) -> Iterator[None]:
    """Tell in one line that there was not enough for ``what``, of which ``parameter`` says how much."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        if not isinstance(error, torch.OutOfMemoryError | MemoryError) and _CPU_MEMORY not in str(error):
            raise
        hint = f"lower its parameter '{parameter}' from {value} to {value // 2}"
        raise ComponentError(
            f"out of memory for {what}", hint=hint if value > 1 else "use a device with more memory"
        ) from error
