"""What files are known by wherever they lie: their content. Torch is not imported."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from ddbench.store.files import file_sha256, settled


def content_digest(path: Path) -> str:
    """Hex SHA-256 of a file, read once for as long as its time and size stay the same."""
    stat = path.stat()
    if not settled(stat.st_mtime_ns):
        return file_sha256(path)
    return _digest(path.absolute(), stat.st_mtime_ns, stat.st_size)


@cache
def _digest(path: Path, mtime_ns: int, size: int) -> str:
    """The digest; time and size are there so that a changed file is read again."""
    return file_sha256(path)
