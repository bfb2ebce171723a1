"""What is in a folder of files, by content; files that have not changed are not read again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ddbench import StoreError
from ddbench.toolkit import file_sha256, read_sealed, settled, sha256_json, write_sealed

from ..._paths import printable


def content_digest(folder: Path, files: Sequence[str], memo: Path) -> str:
    """SHA-256 over the names and bytes of files.

    Args:
        files: relative to ``folder``.
        memo: a file that keeps each file's digest with its size and its time of change.
    """
    known: dict[str, list[Any]] = {}
    with suppress(StoreError):  # what it says can be found out again
        known = read_sealed(memo) or {}
    found: dict[str, list[Any]] = {}
    for name in files:
        status = (folder / name).stat()
        mark = [status.st_size, status.st_mtime_ns]
        told = known.get(printable(name), [])
        found[name] = told if told[:2] == mark else [*mark, file_sha256(folder / name)]
    kept = {printable(name): told for name, told in found.items() if settled(told[1])}
    if kept != known:
        with suppress(OSError):  # it only saves time
            write_sealed(memo, kept)
    return sha256_json([[name, found[name][2]] for name in files])
