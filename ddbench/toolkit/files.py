"""Files that are whole or not there: written aside, synced, renamed; JSON that proves itself undamaged."""

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
    """Something stored is not what was written."""


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make the bytes of ``path`` durable."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def write_whole(path: Path, data: bytes) -> None:
    """Write ``data`` so that ``path`` holds all of it or what it held before."""
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
    """Hex SHA-256 of the bytes of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def settled(mtime_ns: int) -> bool:
    """Whether a file that changes from now on will have another time than this: clocks of file systems tick slowly."""
    return time.time_ns() - mtime_ns > _TICK_NS


def write_sealed(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON object together with the SHA-256 of its canonical form."""
    sealed = {**value, _SEAL: sha256_json(value)}
    write_whole(path, (json.dumps(sealed, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())


def read_sealed(path: Path) -> dict[str, Any] | None:
    """Read a sealed JSON object; None if there is no such file. Raises CorruptError if it says anything else now."""
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StoreError(f"cannot be read: {error.strerror}", where=str(path)) from None
    try:
        value: dict[str, Any] = json.loads(data)
        whole = value.pop(_SEAL) == sha256_json(value)
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError):
        whole = False
    if not whole:
        raise CorruptError("is damaged", where=str(path))
    return value
