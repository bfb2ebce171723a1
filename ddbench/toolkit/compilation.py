"""Compile loops over arrays."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """Compile ``function`` at its first call, and cache the code on disk for later processes.

    The cached code is discarded when the function's file changes. So put compiled functions that it calls into the same
    file. A cache that cannot be used is ignored. Sums may be computed in any order, so that they can be vectorised. NaN
    and infinity keep their meaning.
    """
    options: dict[str, Any] = {"fastmath": {"contract", "nsz", "reassoc"}, "error_model": "numpy"}
    try:
        dispatcher = njit(cache=True, **options)(function)
    except RuntimeError:  # numba has no writable cache folder
        return cast("Function", njit(**options)(function))
    dispatcher._cache = _Disposable(dispatcher._cache)
    return cast("Function", dispatcher)


class _Disposable:
    """A cache of numba that may be full, damaged or read-only: then the code is compiled in this process alone."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def load_overload(self, *arguments: Any) -> Any:
        """Return the cached code; None if there is none, or if it cannot be read."""
        with suppress(Exception):  # whatever a damaged file raises
            return self._cache.load_overload(*arguments)
        return None

    def save_overload(self, *arguments: Any) -> None:
        """Store the code if that is possible."""
        with suppress(Exception):
            self._cache.save_overload(*arguments)
