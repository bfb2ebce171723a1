"""Compile loops over arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile ``function`` at its first call, and cache the code on disk for later processes.

    The cached code is discarded when the function's file changes. So put compiled functions that it calls into the same
    file. Sums may be computed in any order, so that they can be vectorised. NaN and infinity keep their meaning.
    """
    options: dict[str, Any] = {"fastmath": {"contract", "nsz", "reassoc"}, "error_model": "numpy"}
    try:
        return cast("Function", njit(cache=True, **options)(function))
    except RuntimeError:  # numba has no writable cache folder
        return cast("Function", njit(**options)(function))
