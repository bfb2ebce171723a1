"""Paths given by users, and file names as text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AfterValidator


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:  # no such user; the code that uses the path reports that it does not exist
        return path


# A parameter that may begin with ``~``.
UserPath: TypeAlias = Annotated[Path, AfterValidator(_expanded)]


def printable(name: str) -> str:
    r"""Return a file name as text that can be stored; bytes that are not UTF-8 become escapes such as ``\xff``."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")
