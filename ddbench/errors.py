"""Errors that a user can cause: one line that says what is wrong, where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class DdbenchError(Exception):
    """A mistake outside the program: in a suite file, a data set, a plug-in or the machine.

    The command line prints it as one line without a traceback and exits with 2.

    Args:
        message: what is wrong, in one clause.
        where: the place, such as ``suites/woof.yaml:12:5``.
        hint: what the user can do about it.
    """

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f"; {self.hint}" if self.hint else ""
        return f"{place}{self.message}{advice}"


class SuiteError(DdbenchError):
    """A suite file that cannot be understood or asks for something impossible."""


class ComponentError(DdbenchError):
    """A component that is unknown, wrongly declared, wrongly configured, or broke its contract."""


class DataError(DdbenchError):
    """Data that is missing, damaged or of the wrong form."""


class LeakError(DataError):
    """Validation images were found where only training images may be."""


class StoreError(DdbenchError):
    """A store that cannot be read or written."""


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that is nearest to a misspelt ``word``; None where none is near."""
    return next(iter(difflib.get_close_matches(word, sorted(known), n=1)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint for a misspelt ``word``: the nearest known name, else the list of all of them."""
    names = sorted(known)
    near = closest(word, names)
    if near:
        return f"did you mean '{near}'?"
    return f"known: {', '.join(names)}" if names else "none is known"
