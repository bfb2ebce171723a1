"""Describe an exception of a component in one line, with its place in the component's code."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path
from typing import Final

import ddbench
from ddbench.text import one_line

_HARNESS: Final = str(Path(ddbench.__file__).parent)
_LIBRARIES: Final = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
_MESSAGE_CHARACTERS: Final = 400
_TRACE_CHARACTERS: Final = 100_000


def describe(error: BaseException) -> str:
    """Return type, message and place of an exception: ``ValueError: singular (facility.py:24 in select_class)``.

    The place is the innermost one outside ddbench and installed libraries, or else the innermost one.
    """
    if isinstance(error, SystemExit):
        code = "" if error.code is None else f": {error.code}"
        message = f"it called exit(){code}"
    else:
        message = ": ".join(part for part in (type(error).__name__, _said(error)) if part)
    return f"{one_line(message)[:_MESSAGE_CHARACTERS]}{_place(error)}"


def trace_of(error: BaseException) -> str:
    """Return the traceback of an exception; of a very long one only the end. Bytes that are not UTF-8 are escaped."""
    lines = "".join(traceback.format_exception(error))[-_TRACE_CHARACTERS:]
    return lines.encode(errors="backslashreplace").decode()


def _said(error: BaseException) -> str:
    """Return the first line of the message that is not empty."""
    try:
        lines = str(error).splitlines()
    except Exception:  # the exception's own code may fail
        return "its message cannot be shown"
    return next((line.strip() for line in lines if line.strip()), "")


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not frame.filename.startswith((_HARNESS, *_LIBRARIES, "<"))]
    frame = next(reversed(own or frames), None)
    return "" if frame is None else f" ({Path(frame.filename).name}:{frame.lineno} in {frame.name})"
