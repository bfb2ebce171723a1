"""Alternative sources of data, tried in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from ddbench import DataError

T = TypeVar("T")


def first_good(what: str, sources: Iterable[tuple[str, Callable[[], T]]], hint: str) -> T:
    """Return the result of the first source that does not fail.

    Args:
        what: the data, for the error message.
        sources: name and function of each source, in order.
        hint: the hint of the error message.

    Raises:
        DataError: all sources fail; the message names each with its reason.
    """
    tried = []
    for name, get in sources:
        try:
            return get()
        except (DataError, OSError) as error:
            tried.append(f"{name} ({error})")
    raise DataError(f"{what} could not be fetched; tried {', '.join(tried)}", hint=hint)
