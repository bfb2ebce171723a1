"""Digests of the content of files. Torch is not imported here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from ddbench import DataError
from ddbench.toolkit import file_sha256

from ..._digests import identity, is_settled


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Re-raise errors of reading as a DataError that names the file or folder."""
    try:
        yield
    except OSError as error:
        message, where = f"cannot be read: {error.strerror or error}", str(error.filename or path)
        hint = "check the path" if isinstance(error, FileNotFoundError) else "check its permissions"
        raise DataError(message, where=where, hint=hint) from None


def content_digest(path: Path) -> str:
    """Return the hex SHA-256 of a file. It is read again only if its size, times or inode have changed.

    Raises:
        DataError: the file cannot be read.
    """
    with readable(path):
        status = path.stat()
        return _digest(path.absolute(), identity(status)) if is_settled(status) else file_sha256(path)


@cache
def _digest(path: Path, mark: tuple[int, ...]) -> str:
    """Return the digest. The identity is part of the cache key, so a changed file is read again."""
    return file_sha256(path)
