"""Keep code hashes between processes, because parsing the code takes a while.

A kept hash counts only if the bytes of all its files and the names in their folders are the same.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from ddbench.api.canonical import sha256_json
from ddbench.errors import DdbenchError
from ddbench.limits import HASH_CACHE_BYTES
from ddbench.toolkit.files import file_sha256, parse_json, write_whole
from ddbench.toolkit.home import data_home

_NAME = "code-hashes.json"
_ENTRIES = 500


def read(module: str, home: Path, extra: Mapping[str, Path]) -> str | None:
    """Return the kept hash of the code that ``module`` reaches; None if it is not known.

    Args:
        module: the name of a component's module.
        home: its file.
        extra: further modules that are hashed.
    """
    with suppress(OSError, DdbenchError, ValueError, TypeError, KeyError, AttributeError):
        key = _key(module, home, extra)
        entry = _entries()[key]
        if entry["checksum"] == _checksum(key, entry) and all(
            _mark(Path(path)) == mark for path, mark in entry["marks"].items()
        ):
            return str(entry["hash"])
    return None


def write(module: str, home: Path, extra: Mapping[str, Path], files: Iterable[Path], code_hash: str) -> None:
    """Keep a hash with the marks of all its ``files``. A folder that cannot be written keeps nothing."""
    entries: dict[str, Any] = {}
    with suppress(OSError, DdbenchError, ValueError, TypeError, KeyError, AttributeError):
        entries = dict(_entries())
    with suppress(OSError, DdbenchError):
        found = [path.resolve() for path in files]
        marks = {str(path): _mark(path) for path in {*found, *(path.parent for path in found)}}
        key, entry = _key(module, home, extra), {"hash": code_hash, "marks": marks}
        entries[key] = {**entry, "checksum": _checksum(key, entry)}
        kept = dict(list(entries.items())[-_ENTRIES:])
        write_whole(data_home() / _NAME, json.dumps({"format": _format(), "entries": kept}).encode())


def _entries() -> dict[str, Any]:
    """Return what is kept. Raise an error if there is nothing that this version wrote."""
    path = data_home() / _NAME
    found = path.stat()
    if found.st_size > HASH_CACHE_BYTES:
        raise ValueError
    return _parsed(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=1)
def _parsed(path: Path, modified: int, size: int) -> dict[str, Any]:
    """Return the entries of a file, which is parsed again when its time or size changes."""
    value = parse_json(path.read_bytes())
    if value["format"] != _format():
        raise ValueError
    entries: dict[str, Any] = value["entries"]
    return entries


@cache
def _format() -> str:
    """Return the hash of the code that hashes: another way of hashing gives other values."""
    return file_sha256(Path(__file__).with_name("code_hash.py"))


def _key(module: str, home: Path, extra: Mapping[str, Path]) -> str:
    return json.dumps([module, str(home), sorted(str(path) for path in extra.values())])


def _checksum(key: str, entry: Mapping[str, Any]) -> str:
    return sha256_json([key, entry["hash"], entry["marks"]])


def _mark(path: Path) -> str:
    """Return the hash of a file's bytes, or of the names of modules and folders in a folder."""
    if path.is_dir():
        with os.scandir(path) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(".py") or entry.is_dir())
        return hashlib.sha256("\0".join(name for name in names if name != "__pycache__").encode()).hexdigest()
    return file_sha256(path)
