"""Compilation of loops over arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile ``function`` when it is first called, and keep the code on disk for the next process.

    The code on disk is dropped when the function's file changes: compiled functions that it calls belong in that file.
    Sums may be formed in any order, without which they could not be vectorised; NaN and infinity keep their meaning.
    """
    options: dict[str, Any] = {"fastmath": {"contract", "nsz", "reassoc"}, "error_model": "numpy"}
    try:
        return cast("Function", njit(cache=True, **options)(function))
    except RuntimeError:  # Neither beside the module nor in the user's cache folder can anything be written.
        return cast("Function", njit(**options)(function))
