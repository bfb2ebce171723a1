"""Places that data is got from, tried one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from ddbench import DataError

T = TypeVar("T")


def first_good(what: str, sources: Iterable[tuple[str, Callable[[], T]]], hint: str) -> T:
    """What the first source gives that does not fail.

    Raises:
        DataError: all fail; each is named with its reason.
    """
    tried = []
    for name, get in sources:
        try:
            return get()
        except (DataError, OSError) as error:
            tried.append(f"{name} ({error})")
    raise DataError(f"{what} could not be fetched; tried {', '.join(tried)}", hint=hint)
