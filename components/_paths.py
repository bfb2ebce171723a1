"""Paths as users write them, and names of files as text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import AfterValidator


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:  # there is no such user: what uses the path says that nothing is there
        return path


# A parameter that may begin with ``~``.
UserPath: TypeAlias = Annotated[Path, AfterValidator(_expanded)]


def printable(name: str) -> str:
    r"""A file's name as text that can be stored: of one that is no UTF-8, the bytes that are none become ``\xff``."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")
