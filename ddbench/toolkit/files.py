"""Write files atomically, and read and write JSON files with a checksum."""

from __future__ import annotations

import hashlib
import json
import os
import time
import uuid
from pathlib import Path
from typing import Any

from ddbench.api.canonical import sha256_json
from ddbench.errors import StoreError

_CHUNK = 1 << 20
_SEAL = "checksum"
_TICK_NS = 100_000_000


class CorruptError(StoreError):
    """A stored file differs from what was written."""


def sync_folder(folder: Path) -> None:
    """Sync the directory entries of ``folder`` to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Sync the bytes of ``path`` to disk."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def write_whole(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` atomically: after a crash, the file has the old or the new content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(path.parent)


def file_sha256(path: Path) -> str:
    """Return the hex SHA-256 of the bytes of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def settled(mtime_ns: int) -> bool:
    """Return True if any later change of a file would change its modification time ``mtime_ns``.

    Clocks of file systems have a coarse resolution, so a very recent time is not settled.
    """
    return time.time_ns() - mtime_ns > _TICK_NS


def write_sealed(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON object together with the SHA-256 of its canonical form."""
    sealed = {**value, _SEAL: sha256_json(value)}
    write_whole(path, (json.dumps(sealed, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())


def read_sealed(path: Path) -> dict[str, Any] | None:
    """Read the JSON object of :func:`write_sealed`; None if the file does not exist.

    Raises:
        CorruptError: the content does not match its checksum, or a folder is in place of the file.
        StoreError: the file cannot be read.
    """
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError:
        raise CorruptError("a folder is in place of the file", where=str(path)) from None
    except OSError as error:
        raise StoreError(f"the file cannot be read: {error.strerror}", where=str(path)) from None
    try:
        value: dict[str, Any] = json.loads(data)
        intact = value.pop(_SEAL) == sha256_json(value)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        intact = False
    if not intact:
        raise CorruptError("the file is damaged", where=str(path))
    return value
