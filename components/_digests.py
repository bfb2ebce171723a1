"""Digests of the content of many files. Unchanged files are not read again.

A file is unchanged if its size, its times and its inode are. Programs can set the time of modification, as `touch` and
archives do. Only the system sets the time of change (`ctime`) and the inode.

Four changes go unseen: writes after the clock was set back, and writes through a memory map that the system has not
noted. So do other bytes from a failing disk, and changes on file systems without times of change.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from ddbench import StoreError
from ddbench.toolkit import file_sha256, read_sealed, settled, sha256_json, write_sealed

from ._paths import printable

T = TypeVar("T")


@dataclass(frozen=True)
class Content(Generic[T]):
    """The content of files.

    Attributes:
        digests: the SHA-256 of each file.
        facts: the result of ``examine`` for each file.
    """

    digests: list[str]
    facts: list[T]


def nothing(path: Path) -> None:
    """Examine nothing."""


def identity(status: os.stat_result) -> tuple[int, int, int, int]:
    """Return size, times and inode, which change with the content of a file."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def is_settled(status: os.stat_result) -> bool:
    """Return True if any later change of the file would change its identity."""
    return settled(max(status.st_mtime_ns, status.st_ctime_ns))


def read_content(folder: Path, files: Sequence[str], memo: Path, examine: Callable[[Path], T]) -> Content[T]:
    """Return digests of files, and what ``examine`` finds in each.

    Args:
        folder: the folder of the files.
        files: paths relative to ``folder``.
        memo: a cache file with the identity, digest and fact of each file.
        examine: a function that reads a file and returns JSON.

    Raises:
        DataError: ``examine`` refuses a file.
        OSError: a file cannot be read.
    """
    cached: dict[str, list[Any]] = {}
    with suppress(StoreError):  # a damaged cache is computed again
        cached = read_sealed(memo) or {}
    kept: dict[str, list[Any]] = {}
    found: list[list[Any]] = []
    for name in files:
        path = folder / name
        status = path.stat()
        mark, entry = list(identity(status)), cached.get(printable(name), [])
        if entry[:-2] != mark:
            entry = [*mark, file_sha256(path), examine(path)]
        found.append(entry)
        if is_settled(status):
            kept[printable(name)] = entry
    if kept != cached:
        with suppress(OSError):  # the cache only saves time
            write_sealed(memo, kept)
    return Content([entry[-2] for entry in found], [entry[-1] for entry in found])


def names_and_content(files: Sequence[str], content: Content[Any]) -> str:
    """Return the SHA-256 over names and bytes of files."""
    return sha256_json([[name, digest] for name, digest in zip(files, content.digests, strict=True)])
