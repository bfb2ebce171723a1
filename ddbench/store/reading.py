"""Read the files of a store. Each is bound to its place: what belongs to another key or file is damage.

With ``exact``, other bytes with the same value are damage too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ddbench.errors import StoreError
from ddbench.record import RunRecord, read_part
from ddbench.store.manifest import Manifest
from ddbench.store.notes import EARLIER, FORMAT, CellNote, Failure, Marker, RunNote
from ddbench.toolkit.files import CorruptError, unreadable

MARKER = "store.json"
MANIFEST = "manifest.json"
RUN_FILE = "suite.json"
CELL = "cell-"


def check_exists(root: Path) -> None:
    """Raise StoreError if there is no store at ``root``."""
    if not os.path.lexists(root / MARKER):
        raise StoreError("there is no store", where=str(root), hint="choose one with --store or DDBENCH_HOME")


def read_marker(path: Path, *, exact: bool = False) -> Marker | None:
    """Return the marker of a store; None if there is none. Raise StoreError for a store of an unknown format."""
    marker = read_part(path, Marker.parse, "marker", exact=exact)
    if marker is not None and marker.format not in (EARLIER, FORMAT):
        raise StoreError(
            f"the store has format {marker.format}, and this version writes format {FORMAT}",
            where=str(path.parent),
            hint="choose another folder with --store or DDBENCH_HOME",
        )
    return marker


def read_manifest(folder: Path, *, exact: bool = False) -> Manifest | None:
    """Return the manifest of an artifact's folder; None if there is none."""
    found = read_part(folder / MANIFEST, Manifest.parse, "manifest", exact=exact, action_key=folder.name)
    if found is None:
        _check_folders(folder)
    return found


def read_record(path: Path, *, exact: bool = False) -> RunRecord | None:
    """Return the record of a training."""
    place = {"action_key": path.parent.name, "fingerprint": path.stem}
    return read_part(path, RunRecord.parse, "record", exact=exact, **place)


def read_cell(path: Path, *, exact: bool = False) -> CellNote | None:
    """Return a note on a cell."""
    place = {"action_key": path.parent.name, "recipe_key": path.stem.removeprefix(CELL)}
    return read_part(path, CellNote.parse, "note", exact=exact, **place)


def read_failure(path: Path, *, exact: bool = False) -> Failure | None:
    """Return the failure of a node; None if it has none."""
    return read_part(path, Failure.parse, "failure", exact=exact, recipe_key=path.stem)


def read_run(path: Path, *, exact: bool = False) -> RunNote | None:
    """Return the note on a run."""
    return read_part(path, RunNote.parse, "note", exact=exact, run=path.parent.name)


def record_names(folder: Path) -> list[str]:
    """Return the names of the records of a key. Raise CorruptError if something else is in place of the folder."""
    try:
        names = os.listdir(folder)  # noqa: PTH208  (twice as fast over thousands of cells)
    except (FileNotFoundError, NotADirectoryError):
        _check_folders(folder)
        return []
    except OSError as error:
        raise unreadable(folder, error) from None
    return sorted(name for name in names if name.endswith(".json") and not name.startswith((CELL, ".")))


def damaged_records(folder: Path) -> Iterator[Path]:
    """Yield the damaged records of a key's folder, or the entry in place of the folder."""
    blocker = in_place_of(folder)
    if blocker is not None:
        yield blocker
        return
    for name in record_names(folder):
        try:
            read_record(folder / name)
        except CorruptError:
            yield folder / name


def _check_folders(folder: Path) -> None:
    """Raise CorruptError if something else is in place of a key's folder or of the folder around it."""
    blocker = in_place_of(folder)
    if blocker is not None:
        raise CorruptError("something else is in place of the folder", where=str(blocker))


def in_place_of(folder: Path) -> Path | None:
    """Return the file or dangling link in place of a key's folder or of the folder around it; None if there is none."""
    places = (folder.parent, folder)
    return next((place for place in places if os.path.lexists(place) and not place.is_dir()), None)
