"""Errors that a user can cause. Each is one line: the problem, its place, and the remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails


class DdbenchError(Exception):
    """A mistake outside the program: in a suite file, a data set, a plug-in or the machine.

    The command line prints it as one line without a traceback and exits with 2.

    Args:
        message: the problem, in one clause.
        where: the place, such as ``suites/woof.yaml:12:5``.
        hint: the remedy.
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
    """Data that is missing, damaged or in the wrong format."""


class LeakError(DataError):
    """Validation images among the training images."""


class ChanceError(DdbenchError):
    """A teacher that classifies the training images no better than chance."""


class StoreError(DdbenchError):
    """A store that cannot be read or written."""


def first_mistake(error: ValidationError) -> ErrorDetails:
    """Return the first mistake in a mapping. A misspelt key comes before the key that is missing because of it."""
    mistakes = error.errors()
    return next((mistake for mistake in mistakes if mistake["type"] == "extra_forbidden"), mistakes[0])


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most similar to a misspelt ``word``; None if none is similar."""
    return next(iter(difflib.get_close_matches(word, sorted(known), n=1)), None)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint for a misspelt ``word``: the most similar known name, or else all known names."""
    names = sorted(known)
    near = closest(word, names)
    if near:
        return f"did you mean '{near}'?"
    return f"known: {', '.join(names)}" if names else "none is known"
