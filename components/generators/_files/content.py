"""What files are known by wherever they lie: their content. Torch is not imported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from ddbench import DataError
from ddbench.toolkit import file_sha256, settled


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Raises DataError, naming the file or folder, where one cannot be read."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"cannot be read: {error.strerror or error}", where=str(error.filename or path), hint="see who may read it"
        ) from None


def content_digest(path: Path) -> str:
    """Hex SHA-256 of a file, read once for as long as its time and size stay the same.

    Raises:
        DataError: it cannot be read.
    """
    with readable(path):
        stat = path.stat()
        if not settled(stat.st_mtime_ns):
            return file_sha256(path)
        return _digest(path.absolute(), stat.st_mtime_ns, stat.st_size)


@cache
def _digest(path: Path, mtime_ns: int, size: int) -> str:
    """The digest; time and size are there so that a changed file is read again."""
    return file_sha256(path)
