"""Damage to the files of a store, at random."""

from __future__ import annotations

import json
import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.chaos.account import Account, Stamp, key_of, stamp_of

_ROOMS: Final = ("artifacts", "results", "failures", "cache", "unfinished", "runs")
_CONTROL: Final = ("store.json", "run.lock", "workers.lock")


@dataclass
class Faults:
    """A source of damage to one store. It may be used while a run works on the store.

    Attributes:
        account: notes which files are damaged.
        rng: draws the faults.
        touched: the action keys of damaged or removed entries; cleared before each run.
    """

    account: Account
    rng: random.Random
    touched: set[str] = field(default_factory=set)

    @property
    def root(self) -> Path:
        """The store's folder."""
        return self.account.root

    def any(self) -> str:
        """Do one kind of damage; return its name."""
        kinds: dict[str, Callable[[], None]] = {
            "flipped bytes": self.flip,
            "truncated files": self.truncate,
            "deleted files": self.delete,
            "swapped results": lambda: self.swap("results"),
            "swapped artifact files": lambda: self.swap("artifacts"),
            "folders in place of files": self.folder_for_file,
            "deleted folders": self.delete_folder,
        }
        name = self.rng.choice([*kinds, "flipped bytes", "flipped bytes"])
        try:
            kinds[name]()
        except (OSError, IndexError):  # a run has just moved the file, or there is none
            return "faults that found no file"
        return name

    def _file(self, rooms: tuple[str, ...] = _ROOMS) -> Path:
        """Return a file that is not half written. Each room that has files is as likely as any other."""
        found = {room: [path for path in (self.root / room).rglob("[!.]*") if path.is_file()] for room in rooms}
        room = self.rng.choice([room for room in rooms if found[room]])
        return self.rng.choice(sorted(found[room]))

    def _touch(self, path: Path) -> None:
        """Note that an entry is no longer what it was."""
        key = key_of(self.root, path)
        if key is not None:
            self.touched.add(key)

    def _damaged(self, path: Path, after: Stamp) -> None:
        """Note that a file is damaged, and its stamp after that."""
        self._touch(path)
        self.account.damage[path] = after

    def flip(self, path: Path | None = None) -> None:
        """Change one byte of a file in its place."""

        def change(whole: bytes) -> bytes:
            at = self.rng.randrange(len(whole))
            return whole[:at] + bytes([whole[at] ^ self.rng.randrange(1, 256)]) + whole[at + 1 :]

        self._rewrite(path or self._file(), change)

    def truncate(self, path: Path | None = None) -> None:
        """Cut off the end of a file."""
        self._rewrite(path or self._file(), lambda whole: whole[: self.rng.randrange(len(whole))])

    def _rewrite(self, path: Path, change: Callable[[bytes], bytes]) -> None:
        with path.open("rb+") as file:
            whole = file.read()
            if not whole:
                return
            was_damaged = self.account.is_damaged(path)
            changed = change(whole)
            file.seek(0)
            file.write(changed)
            file.truncate()
            file.flush()
            after = stamp_of(os.fstat(file.fileno()))
        if was_damaged or not _same(path, whole, changed):
            self._damaged(path, after)
        else:
            self._touch(path)
            self.account.odd[path] = after

    def delete(self) -> None:
        """Delete a file."""
        path = self._file()
        self._touch(path)
        path.unlink()

    def swap(self, room: str) -> None:
        """Exchange two files of the same name, each intact."""
        one = self._file((room,))
        other = self.rng.choice([path for path in sorted((self.root / room).rglob(one.name)) if path != one])
        if one.read_bytes() != other.read_bytes():
            copies = [shutil.copy2(path, self.root / f"swapped-{index}") for index, path in enumerate((one, other))]
            for copy, place in zip(copies, (other, one), strict=True):
                after = stamp_of(copy.lstat())
                copy.replace(place)
                self._damaged(place, after)

    def folder_for_file(self) -> None:
        """Replace a file by a folder with a file in it."""
        path = self._file()
        self._touch(path)
        path.unlink()
        path.mkdir()
        self._damaged(path, stamp_of(path.lstat()))
        (path / "inside").touch()

    def delete_folder(self) -> None:
        """Delete an entry, all entries whose keys begin alike, or all of another kind of file."""
        kind = self.rng.randrange(3)
        if kind == 2:
            room = self.rng.choice(("quarantine", "cache", "unfinished", "failures", "runs", "tmp"))
            shutil.rmtree(self.root / room, ignore_errors=True)
            return
        room = self.rng.choice(("artifacts", "results"))
        folder = self.rng.choice(sorted((self.root / room).glob("*/*" if kind else "*")))
        for path in folder.rglob("*"):
            self._touch(path)
        shutil.rmtree(folder, ignore_errors=True)

    def wipe(self, share: float) -> None:
        """Delete a share of all entries, so that there is work again."""
        folders = sorted(path for room in ("artifacts", "results") for path in (self.root / room).glob("*/*"))
        for folder in self.rng.sample(folders, round(share * len(folders))):
            shutil.rmtree(folder)

    def control(self) -> Path:
        """Damage a file that belongs to the store as a whole; return it. No run may be going."""
        path = self.root / self.rng.choice(_CONTROL)
        match self.rng.randrange(4) if path.name == "store.json" else 3:
            case 0:
                self.flip(path)
            case 1:
                self.truncate(path)
            case 2:
                remove(path)
            case _:
                remove(path)
                path.mkdir()
        return path


def remove(path: Path) -> None:
    """Remove a file or a folder, if it exists."""
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _same(path: Path, whole: bytes, changed: bytes) -> bool:
    """Return True if a JSON file of an entry still says the same, as after a change of white space."""
    if path.name == "content.json" or path.suffix != ".json":
        return False
    try:
        one, other = json.loads(whole), json.loads(changed)
    except (ValueError, RecursionError):
        return False
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
