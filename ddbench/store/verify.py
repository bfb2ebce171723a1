"""Check every entry of a store: each stored file against its checksum, and each entry against its place."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from ddbench.errors import StoreError
from ddbench.record import Part, read_predictions
from ddbench.record.predictions import SUFFIX
from ddbench.store import layout
from ddbench.store.artifact import Artifact
from ddbench.store.code import check_code
from ddbench.store.layout import Entry
from ddbench.store.lock import refuse, run_lock
from ddbench.store.reading import (
    MANIFEST,
    MARKER,
    check_exists,
    read_cell,
    read_failure,
    read_manifest,
    read_marker,
    read_record,
    read_run,
)
from ddbench.store.store import Store
from ddbench.toolkit.cores import usable_cores
from ddbench.toolkit.files import CorruptError, unreadable

P = TypeVar("P", bound=Part)

_THREADS: Final = 8
_AHEAD: Final = 16  # entries that wait for a thread, by thread


@dataclass(frozen=True)
class Damage:
    """One damaged entry.

    Attributes:
        kind: its kind.
        path: its file or folder.
        problem: the problem with its place, as one line.
        movable: False if it cannot be read, for example without permission.
        kept: the folder to which it was moved; None if it was left.
    """

    kind: str
    path: Path
    problem: str
    movable: bool
    kept: Path | None = None


@dataclass
class Findings:
    """The findings of a check.

    Attributes:
        entries: number of checked entries by kind.
        size: bytes of the payloads of artifacts.
        removed: number of artifacts whose files ``ddbench gc`` removed.
        damage: the damaged entries.
        unknown: files and folders that ddbench does not know. They are left alone.
        unchecked: number of files and folders that nothing can check, by what they are.
    """

    entries: Counter[str] = field(default_factory=Counter)
    size: int = 0
    removed: int = 0
    damage: list[Damage] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)
    unchecked: Counter[str] = field(default_factory=Counter)

    def add(self, found: Findings) -> None:
        """Add the findings of one entry."""
        self.entries += found.entries
        self.size += found.size
        self.removed += found.removed
        self.damage += found.damage
        self.unknown += found.unknown
        self.unchecked += found.unchecked


def verify_store(
    root: Path, *, repair: bool, progress: Callable[[Findings], None], threads: int | None = None
) -> Findings:
    """Check every entry of a store.

    Without ``repair`` nothing is written. A run may use the store at the same time, since it replaces whole entries. An
    entry that seems damaged is read again.

    Args:
        root: the store's folder.
        repair: move damaged entries to the quarantine folder.
        progress: called with the findings so far after each entry.
        threads: number of threads; by default one for each core, at most 8.

    Raises:
        StoreError: there is no store at ``root``, it has an unknown format, or a run uses it during a repair.
    """
    check_exists(root)
    with suppress(CorruptError):
        read_marker(root / MARKER)
    store, findings = Store(root), Findings()
    with ExitStack() as held:
        if repair:
            held.enter_context(run_lock(root, "verify", refuse))
        for found in _checked(layout.entries(root), threads or min(usable_cores(), _THREADS)):
            findings.add(replace(found, damage=[_kept(store, each) for each in found.damage]) if repair else found)
            progress(findings)
        if any(each.kind == layout.STORE and each.kept for each in findings.damage):
            Store.open(root)  # writes the marker again
    return findings


def _kept(store: Store, damage: Damage) -> Damage:
    if not damage.movable:
        return damage
    paths = [damage.path]
    if damage.kind == layout.PREDICTIONS:  # without their record, the next run trains again
        paths.append(damage.path.with_suffix(".json"))
    return replace(damage, kept=store.keep_aside(*paths, name=damage.path.name))


def _checked(entries: Iterable[Entry], threads: int) -> Iterator[Findings]:
    """Check entries and yield the findings in order. Few entries are held at a time.

    Only artifacts are checked in several threads. Python reads JSON in one thread at a time.
    """
    waiting: deque[Callable[[], Findings]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for entry in entries:
            threaded = entry.kind == layout.ARTIFACT
            waiting.append(pool.submit(check, entry).result if threaded else partial(check, entry))
            if len(waiting) > threads * _AHEAD:
                yield waiting.popleft()()
        while waiting:
            yield waiting.popleft()()


def check(entry: Entry) -> Findings:
    """Check one entry. Read it again if it seems damaged, since a run may have replaced it meanwhile."""
    found = _check(entry)
    return _check(entry) if found.damage else found


def _check(entry: Entry) -> Findings:
    found = Findings()
    if entry.reason is not None:
        found.unchecked[entry.reason] += 1
    elif entry.kind == layout.UNKNOWN:
        found.unknown.append(entry.path)
    else:
        found.entries[entry.kind] += 1
        try:
            _READ[entry.kind](entry.path, found)
        except (StoreError, OSError) as raised:
            error = unreadable(entry.path, raised) if isinstance(raised, OSError) else raised
            problem = f"{error.where}: {error.message}"
            found.damage.append(Damage(entry.kind, entry.path, problem, movable=isinstance(error, CorruptError)))
    return found


def _artifact(folder: Path, found: Findings) -> None:
    manifest = read_manifest(folder, exact=True)
    if manifest is None:
        if folder.is_dir():
            raise CorruptError("the manifest is missing", where=str(folder / MANIFEST))
        return
    present = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    known = {*manifest.files, MANIFEST}
    found.unknown += [path for name, path in present.items() if name not in known and not path.is_dir()]
    if manifest.files and present.keys().isdisjoint(manifest.files):
        found.removed += 1
        return
    found.size += manifest.size
    Artifact(folder, manifest).verify()


def _predictions(path: Path, found: Findings) -> None:
    """Check a file of predictions by its record. A damaged record is an entry of its own."""
    try:
        record = read_record(path.with_suffix(".json"))
    except CorruptError:
        return
    if record is None or record.predictions is None:
        found.unknown.append(path)
    else:
        read_predictions(path, record)


def _result(path: Path, found: Findings) -> None:
    """Check a record, and that the predictions that it names exist."""
    record, predictions = _present(read_record, path), path.with_suffix(SUFFIX)
    if record is not None and record.predictions is not None and not os.path.lexists(predictions):
        raise CorruptError("the predictions are missing", where=str(predictions))


def _present(read: Callable[..., P | None], path: Path) -> P | None:
    """Return what a reader makes of a file; None for a file that has just been removed, which is not damaged."""
    part = read(path, exact=True)
    if part is None and os.path.lexists(path):
        raise CorruptError("a link to nothing is in place of the file", where=str(path))
    return part


def _file(read: Callable[..., Part | None]) -> Callable[[Path, Findings], None]:
    """Return a check of a file by its reader."""

    def check_file(path: Path, _: Findings) -> None:
        _present(read, path)

    return check_file


_READ: Final[dict[str, Callable[[Path, Findings], None]]] = {
    layout.STORE: _file(read_marker),
    layout.ARTIFACT: _artifact,
    layout.RESULT: _result,
    layout.PREDICTIONS: _predictions,
    layout.NOTE: _file(read_cell),
    layout.FAILURE: _file(read_failure),
    layout.CODE: lambda path, _: check_code(path),
    layout.RUN: _file(read_run),
}
