"""The places of a store: its entries one after another, and the files that nothing can check."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ddbench.record.predictions import SUFFIX
from ddbench.store.reading import CELL, MARKER, RUN_FILE
from ddbench.toolkit.files import is_half_written, unreadable

# Names of entries.
ARTIFACT: Final = "artifacts"
RESULT: Final = "results"
NOTE: Final = "notes on cells"
PREDICTIONS: Final = "predictions"
FAILURE: Final = "failures"
CODE: Final = "code"
RUN: Final = "runs"
STORE: Final = "store"
UNKNOWN: Final = "unknown"

# Files without a checksum, by the first part of their path.
UNCHECKED: Final = {
    "cache": "the cache",
    "quarantine": "damaged entries, kept for inspection",
    "run.lock": "locks",
    "tmp": "temporary files, which the next run removes",
    "unfinished": "parts of unfinished work, which are checked when they are read",
    "workers.lock": "locks",
}
LOGS: Final = "logs of runs, which nothing reads"
LEFTOVERS: Final = "half-written files of killed processes, which nothing reads"

_KEY: Final = re.compile(r"[0-9A-Za-z]{1,64}")


@dataclass(frozen=True)
class Entry:
    """One entry of a store.

    Attributes:
        kind: the kind of entry, such as ``artifacts``.
        path: its file or folder.
        reason: for an entry that cannot be checked, what it is.
    """

    kind: str
    path: Path
    reason: str | None = None


def entries(root: Path) -> Iterator[Entry]:
    """Yield the entries of a store in the order of their names. Only one folder's names are held in memory."""
    for path in _inside(root):
        if path.name in UNCHECKED:
            inside = _inside(path) if path.is_dir() else [path]
            yield from (Entry(UNKNOWN, each, UNCHECKED[path.name]) for each in inside)
        elif path.name == MARKER:
            yield Entry(STORE, path)
        elif not path.is_dir():
            yield _other(path)
        elif path.name in (ARTIFACT, RESULT):
            yield from _keys(path)
        elif path.name == FAILURE:
            yield from map(_failure, _inside(path))
        elif path.name == CODE:
            yield from (Entry(CODE, file) for folder in _inside(path) for file in _inside(folder))
        elif path.name == RUN:
            for folder in _inside(path):
                yield from _run(folder)
        else:
            yield _other(path)


def _keys(room: Path) -> Iterator[Entry]:
    """Yield the folders of keys, and the entries in their place."""
    for shard in _inside(room):
        if not _KEY.fullmatch(shard.name):
            yield _other(shard)
        elif not shard.is_dir():
            yield Entry(room.name, shard)
        else:
            for path in _inside(shard):
                if not (_KEY.fullmatch(path.name) and path.name.startswith(shard.name)):
                    yield _other(path)
                elif room.name == RESULT and path.is_dir():
                    yield from map(_result, _inside(path))
                else:
                    yield Entry(room.name, path)


def _failure(path: Path) -> Entry:
    return Entry(FAILURE, path) if _KEY.fullmatch(path.stem) and path.suffix == ".json" else _other(path)


def _result(path: Path) -> Entry:
    """Return the entry of a file in the folder of a result."""
    stem = path.stem.removeprefix(CELL)
    if path.suffix == SUFFIX and _KEY.fullmatch(path.stem):
        has_record = os.path.lexists(path.with_suffix(".json"))  # a killed training leaves none
        return Entry(PREDICTIONS, path) if has_record else Entry(UNKNOWN, path, LEFTOVERS)
    if path.suffix != ".json" or not _KEY.fullmatch(stem):
        return _other(path)
    return Entry(RESULT if stem == path.stem else NOTE, path)


def _run(folder: Path) -> Iterator[Entry]:
    """Yield the files of a run."""
    if not folder.is_dir():
        yield _other(folder)
        return
    for path in _inside(folder):
        yield Entry(RUN, path) if path.name == RUN_FILE else Entry(UNKNOWN, path, LOGS)


def _other(path: Path) -> Entry:
    """Return the entry of a file or folder that has no place in a store."""
    return Entry(UNKNOWN, path, LEFTOVERS if is_half_written(path.name) else None)


def _inside(folder: Path) -> list[Path]:
    """Return what a folder holds, sorted; nothing for another entry."""
    try:
        names = os.listdir(folder)  # noqa: PTH208  (twice as fast over thousands of cells)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise unreadable(folder, error) from None
    return [folder / name for name in sorted(names)]
