"""Digests of the content of files. Torch is not imported here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from ddbench import DataError
from ddbench.toolkit import file_sha256, settled


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Re-raise errors of reading as a DataError that names the file or folder."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"cannot be read: {error.strerror or error}",
            where=str(error.filename or path),
            hint="check its permissions",
        ) from None


def content_digest(path: Path) -> str:
    """Return the hex SHA-256 of a file. It is read again only if its time or size has changed.

    Raises:
        DataError: the file cannot be read.
    """
    with readable(path):
        stat = path.stat()
        if not settled(stat.st_mtime_ns):
            return file_sha256(path)
        return _digest(path.absolute(), stat.st_mtime_ns, stat.st_size)


@cache
def _digest(path: Path, mtime_ns: int, size: int) -> str:
    """Return the digest. Time and size are part of the cache key, so a changed file is read again."""
    return file_sha256(path)
