"""Describe an error of a plug-in in one line, with its place in the plug-in's code."""

from __future__ import annotations

import traceback
from collections.abc import Collection
from pathlib import Path

from ddbench.text import one_line

_CHARACTERS = 300


def place_in(error: BaseException, packages: Collection[str]) -> str | None:
    """Return ``file.py:24``, the innermost place of an error in some packages; None if it did not pass them."""
    found = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if str(frame.f_globals.get("__name__", "")).partition(".")[0] in packages:
            found = f"{Path(frame.f_code.co_filename).name}:{line}"
    return found


def describe(error: BaseException, packages: Collection[str]) -> str:
    """Return place, type and message of an error: ``file.py:24: SyntaxError: invalid syntax``."""
    place, said = place_in(error, packages), str(error)
    if isinstance(error, SyntaxError) and error.filename:
        place, said = f"{Path(error.filename).name}:{error.lineno}", error.msg
    short = " ".join(said.partition("For further information visit")[0].split())[:_CHARACTERS]  # pydantic's advice
    return one_line(": ".join(part for part in (place, type(error).__name__, short) if part))
