"""Write files atomically, and read and write JSON files with a checksum."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any, NoReturn

from pydantic_core import from_json, to_json

from ddbench.api.canonical import canonical_json, sha256_json
from ddbench.errors import StoreError
from ddbench.limits import JSON_BYTES, JSON_DEPTH

_CHUNK = 1 << 20
_SEAL = "checksum"
_HALF_WRITTEN = re.compile(r"\..+\.[0-9a-f]{32}")
_TICK_NS = 100_000_000
# Reading damaged disks and circles of links fails with these errors.
_DAMAGED = (errno.EIO, errno.ELOOP)


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


def write_whole(path: Path, data: bytes, aside_in: Path | None = None) -> None:
    """Write ``data`` to ``path`` atomically: after a crash, the file has the old or the new content.

    Args:
        path: the file.
        data: its new content.
        aside_in: the folder on the same disk where the file is written first; by default its own. A killed process
            leaves a half-written file there, see :func:`is_half_written`.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = (aside_in or path.parent) / f".{path.name}.{uuid.uuid4().hex}"
    aside.parent.mkdir(parents=True, exist_ok=True)
    try:
        with aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_chosen(path: Path, data: bytes) -> None:
    """Write a file whose path a user chose, as :func:`write_whole`. Raise OSError if that is a device or a folder."""
    if path.exists() and not path.is_file():
        raise FileExistsError(errno.EEXIST, "something that is not a file is in its place", str(path))
    write_whole(path, data)


def is_half_written(name: str) -> bool:
    """Return whether a file has a name that :func:`write_whole` gives to files before they are complete."""
    return _HALF_WRITTEN.fullmatch(name) is not None


def remove(path: Path) -> None:
    """Remove a file, link or folder if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def write_many(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files of one folder, each atomically, and sync the disk once: much faster than to sync each file.

    Args:
        folder: the folder, which is created if it does not exist.
        files: name and content of each file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f".{uuid.uuid4().hex}"
    aside.mkdir()
    try:
        for name, data in files:
            (aside / name).write_bytes(data)
        os.sync()
        for path in aside.iterdir():
            path.replace(folder / path.name)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    sync_folder(folder)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Lend an empty folder that takes the place of ``folder`` at the end: after a crash, all of it exists or nothing.

    Raises:
        OSError: the folder exists and is not empty, or it cannot be written.
    """
    if os.path.lexists(folder) and any(folder.iterdir()):
        raise OSError(errno.ENOTEMPTY, "it is not empty", str(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = folder.with_name(f".{folder.name}.{uuid.uuid4().hex}")
    aside.mkdir()
    try:
        yield aside
        os.sync()
        aside.rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    sync_folder(folder.parent)


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


def parse_json(data: bytes) -> Any:
    """Return the value of JSON in UTF-8.

    Raises:
        ValueError: the data is not JSON, is nested too deeply, repeats a name in an object, or has NaN, an infinity or
            half of a character.
    """
    try:
        text = data.decode()
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    _check_depth(value)
    if "\\u" in text:  # an escape may be half of a character
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("a name occurs twice")
    return value


def _finite(number: str) -> float:
    value = float(number)
    return value if isfinite(value) else _refuse(number)


def _refuse(number: str) -> NoReturn:
    raise ValueError(f"{number} is not a finite number")


def _check_depth(value: Any) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(JSON_DEPTH):
        # `isinstance` with two types takes twice as long here.
        level = [
            part
            for whole in level
            for part in (whole.values() if type(whole) is dict else whole)
            if type(part) is dict or type(part) is list
        ]
        if not level:
            return
    raise ValueError("nested too deeply")


def sealed(value: dict[str, Any]) -> bytes:
    """Return a JSON object together with the SHA-256 of its canonical form, as :func:`write_sealed` writes them."""
    whole = {**value, _SEAL: sha256_json(value)}
    canonical = canonical_json(whole).encode()
    ordered = from_json(canonical)
    if to_json(ordered) == canonical:  # pydantic spells all numbers like json, and indents many times faster
        return to_json(ordered, indent=1) + b"\n"
    return (json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def write_sealed(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON object together with the SHA-256 of its canonical form."""
    write_whole(path, sealed(value))


def read_sealed(path: Path, *, exact: bool = False) -> dict[str, Any] | None:
    """Read the JSON object of :func:`write_sealed`; None if the file does not exist.

    Args:
        path: the file.
        exact: refuse other bytes with the same value too.

    Raises:
        CorruptError: the content does not match its checksum, or something else is in place of the file.
        StoreError: the file cannot be read.
    """
    data = _read(path)
    if data is None:
        return None
    value = _unsealed(data)
    if value is None or (exact and data != sealed(value)):
        raise CorruptError("the file is damaged", where=str(path))
    return value


def _unsealed(data: bytes) -> dict[str, Any] | None:
    """Return the object of a sealed file; None if its content does not match its checksum."""
    try:
        value: dict[str, Any] = from_json(data, allow_inf_nan=False)
        seal = value.pop(_SEAL)
        # The keys of a file are in order, so this is its canonical form, unless a number is spelled differently.
        canonical = to_json(value)
        once = _length(data) == _length(canonical) + len(f'"{_SEAL}":"{seal}",')  # longer if a name occurs twice
        if once and seal == hashlib.sha256(canonical).hexdigest():
            return value
        value = parse_json(data)
        return value if value.pop(_SEAL) == sha256_json(value) else None
    except (ValueError, KeyError, AttributeError, TypeError):
        return None


def _length(data: bytes) -> int:
    return len(data.translate(None, b" \n"))


def _read(path: Path) -> bytes | None:
    """Return the bytes of a stored file; None if it does not exist."""
    try:
        found = path.stat()
        if not S_ISREG(found.st_mode):
            what = "a folder" if S_ISDIR(found.st_mode) else "something else"
            raise CorruptError(f"{what} is in place of the file", where=str(path))
        if found.st_size > JSON_BYTES:
            raise CorruptError(f"the file is larger than {JSON_BYTES // 2**20} MiB", where=str(path))
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise unreadable(path, error) from None


def unreadable(path: Path, error: OSError) -> StoreError:
    """Return the error of a file that the system cannot read; a CorruptError if the disk or a link is damaged."""
    kind = CorruptError if error.errno in _DAMAGED else StoreError
    return kind(f"the file cannot be read: {error.strerror}", where=str(path))
