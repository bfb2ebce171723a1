"""An account of a store, kept without ddbench's own code: which entries are whole, and which were made again.

Damage is known from a journal of the files that were damaged, so nothing here depends on ddbench's checks.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Stamp = tuple[int, int, int, int]
Health = Literal["whole", "damaged", "missing"]


def stamp_of(found: os.stat_result) -> Stamp:
    """Return what identifies one content of a file: it changes if the file is replaced or written."""
    if stat.S_ISDIR(found.st_mode):  # its time and size change with its entries
        return stat.S_IFDIR, found.st_ino, 0, 0
    return stat.S_IFMT(found.st_mode), found.st_ino, found.st_mtime_ns, found.st_size


def stamp(path: Path) -> Stamp | None:
    """Return the stamp of what is at ``path``; None if nothing is there."""
    try:
        return stamp_of(path.lstat())
    except (FileNotFoundError, NotADirectoryError):
        return None


def key_of(root: Path, path: Path) -> str | None:
    """Return the action key of the entry that a path in the store belongs to; None if it belongs to none."""
    parts = path.relative_to(root).parts
    return parts[2] if len(parts) > 2 and parts[0] in ("artifacts", "results") else None


@dataclass(frozen=True)
class Entry:
    """An artifact, or the records of one training.

    Attributes:
        key: its action key.
        folder: its folder.
        heads: its manifest or its records, which every run reads.
        stamps: the stamp of each of its files.
        health: ``missing`` if files are missing, ``damaged`` if files are damaged and none is missing.
        head_damaged: True if one of the heads is damaged.
    """

    key: str
    folder: Path
    heads: tuple[Path, ...]
    stamps: dict[Path, Stamp | None]
    health: Health
    head_damaged: bool


@dataclass
class Account:
    """The entries of a store, and the damage that was done to them.

    Attributes:
        root: the store's folder.
        damage: the stamps of damaged files, just after each was damaged.
        odd: the same for files whose bytes were changed, but not what they say.
    """

    root: Path
    damage: dict[Path, Stamp] = field(default_factory=dict)
    odd: dict[Path, Stamp] = field(default_factory=dict)

    def entries(self) -> dict[Path, Entry]:
        """Return every entry by its folder."""
        found = [*self._folders("artifacts", self._artifact), *self._folders("results", self._result)]
        return {entry.folder: entry for entry in found}

    def _folders(self, room: str, read: Any) -> Iterator[Entry]:
        for folder in sorted((self.root / room).glob("*/*")):
            yield read(folder)

    def _artifact(self, folder: Path) -> Entry:
        head = folder / "manifest.json"
        named: list[Path] = []
        if not self.is_damaged(head) and stamp(head) is not None:
            named = [folder / name for name in json.loads(head.read_bytes())["files"]]
        return self._entry(folder, [head], named)

    def _result(self, folder: Path) -> Entry:
        heads = [path for path in sorted(folder.glob("*.json")) if not path.name.startswith("cell-")]
        named = []
        for head in heads:
            if not self.is_damaged(head) and head.is_file():
                predictions = json.loads(head.read_bytes()).get("predictions")
                named += [] if predictions is None else [folder / predictions["file"]]
        return self._entry(folder, heads, named)

    def _entry(self, folder: Path, heads: list[Path], others: list[Path]) -> Entry:
        stamps = {path: stamp(path) for path in (*heads, *others)}
        damaged = {path for path in stamps if self.is_damaged(path)}
        missing = not heads or None in stamps.values()
        health: Health = "missing" if missing else "damaged" if damaged else "whole"
        return Entry(folder.name, folder, tuple(heads), stamps, health, not damaged.isdisjoint(heads))

    def is_damaged(self, path: Path) -> bool:
        """Return True if a file was damaged and has not been replaced since."""
        return path in self.damage and self.damage[path] == stamp(path)

    def to_find(self) -> tuple[set[Path], set[Path]]:
        """Return the damaged files that a check of the whole store must find, and what else it may find."""
        must = {path for path in self.damage if self.is_damaged(path) and self._has_checksum(path)}
        odd = {path for path, own in self.odd.items() if stamp(path) == own}
        return must, odd | {entry.folder for entry in self.entries().values() if entry.health == "missing"}

    def _has_checksum(self, path: Path) -> bool:
        """Return True unless the file is a log, a lock, in a cache, unfinished, or predictions without a record."""
        record = path.with_suffix(".json")
        if path.suffix == ".npy" and (stamp(record) is None or self.is_damaged(record)):
            return False
        room = path.relative_to(self.root).parts[0]
        return room in ("artifacts", "results", "failures", "store.json") or path.name == "suite.json"


def contents(entries: Iterable[Entry]) -> dict[str, Any]:
    """Return what whole entries hold, apart from times and the like: digest and files of artifacts, and results."""
    found: dict[str, Any] = {}
    for entry in entries:
        if entry.health == "whole":
            values = [json.loads(path.read_bytes()) for path in entry.heads]
            found[f"{entry.folder.parent.parent.name}/{entry.key}"] = [
                {**value["result"], "details": None}
                if "result" in value
                else {"digest": value["digest"], "files": value["files"]}
                for value in values
            ]
    return found


def made_again(before: Entry, after: dict[Path, Entry]) -> bool:
    """Return True if an entry was replaced or removed."""
    now = after.get(before.folder)
    return now is None or any(now.stamps.get(path) != own for path, own in before.stamps.items())


def complaints(
    before: dict[Path, Entry],
    after: dict[Path, Entry],
    *,
    touched: set[str],
    told: set[str],
    started: Iterable[str],
    repeated: Iterable[str],
    finished: bool,
) -> list[str]:
    """Return what a run did wrong.

    Args:
        before: the entries before the run.
        after: the entries after it.
        touched: the action keys of entries that were damaged or removed during the run.
        told: the action keys that the run told were damaged, or moved to the quarantine before it was killed.
        started: the action keys of the work that it started.
        repeated: the action keys of the work that it started again after it was done.
        finished: True if the run ended with exit code 0.
    """
    found = []
    whole = {entry.key for entry in before.values() if entry.health == "whole"} - touched
    for folder, entry in before.items():
        if entry.key in touched:
            continue
        if entry.health == "whole" and made_again(entry, after):
            found.append(f"{folder} was whole, and was made again or removed")
        if entry.health == "damaged" and made_again(entry, after) and entry.key not in told:
            found.append(f"{folder} was damaged, and was replaced without a word")
        if finished and entry.head_damaged and not made_again(entry, after):
            found.append(f"{folder} is damaged, and the run did not notice")
    found += [f"{key} was whole, and its work was started again" for key in started if key in whole]
    found += [f"{key} was done, and its work was started again" for key in repeated if key not in touched]
    return found
