"""A digest of the content of a folder. Unchanged files are not read again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ddbench import StoreError
from ddbench.toolkit import file_sha256, read_sealed, settled, sha256_json, write_sealed

from ..._paths import printable


def content_digest(folder: Path, files: Sequence[str], memo: Path) -> str:
    """Return the SHA-256 over the names and bytes of files.

    Args:
        folder: the folder of the files.
        files: paths relative to ``folder``.
        memo: a cache file with the digest, size, times and inode of each file.
    """
    cached: dict[str, list[Any]] = {}
    with suppress(StoreError):  # a damaged cache is computed again
        cached = read_sealed(memo) or {}
    found: dict[str, list[Any]] = {}
    for name in files:
        status = (folder / name).stat()
        # Archives and `touch` set the modification time. Only the system sets the time of change and the inode.
        mark = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
        entry = cached.get(printable(name), [])
        found[name] = entry if entry[:-1] == mark else [*mark, file_sha256(folder / name)]
    kept = {printable(name): entry for name, entry in found.items() if settled(max(entry[1:3]))}
    if kept != cached:
        with suppress(OSError):  # the cache only saves time
            write_sealed(memo, kept)
    return sha256_json([[name, found[name][-1]] for name in files])
