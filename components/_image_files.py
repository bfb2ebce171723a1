"""List the image files of a folder: each entry is an image, known clutter, or an error that names it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Final

from ddbench import DataError
from ddbench.limits import FILES_PER_FOLDER

# Of photographs.
SUFFIXES: Final = frozenset(
    (".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
)
# Written by operating systems, or notes beside images. Hidden files are ignored too.
CLUTTER: Final = frozenset(("desktop.ini", "ehthumbs.db", "icon\r", "thumbs.db", "__macosx"))
NOTES: Final = frozenset((".csv", ".html", ".json", ".jsonl", ".log", ".md", ".txt", ".xml", ".yaml", ".yml"))


def refused(problem: DataError) -> None:
    """Raise a problem. Pass another function to collect the problems of a folder."""
    raise problem


def image_names(
    folder: Path, suffixes: Collection[str], accepted: str, refuse: Callable[[DataError], None] = refused
) -> list[str]:
    """Return the names of the images directly in a folder, sorted as text.

    Args:
        folder: the folder of one class.
        suffixes: the suffixes of images, in lower case.
        accepted: the formats for messages, such as ``PNG or WebP``.
        refuse: receives a DataError for each entry that is neither an image nor clutter; by default raises it.

    Raises:
        DataError: an entry is neither an image nor clutter, such as a folder with content or a link to nothing.
        OSError: the folder cannot be read.
    """
    names: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if _is_clutter(entry):
                continue
            problem = _problem(entry, str(folder / entry.name), suffixes, accepted)
            if problem is not None:
                refuse(problem)
            elif not entry.is_dir():
                names.append(entry.name)
            if len(names) > FILES_PER_FOLDER:
                hint = "divide the class"
                raise DataError(f"holds more than {FILES_PER_FOLDER:,} files", where=str(folder), hint=hint)
    return sorted(names)


def class_folder_names(root: Path, refuse: Callable[[DataError], None] = refused) -> list[str]:
    """Return the names of the folders directly in ``root``, sorted as text.

    Args:
        root: the folder of the classes.
        refuse: receives a DataError for each entry that is neither a folder nor clutter; by default raises it.

    Raises:
        DataError: an entry is neither a folder nor clutter, such as an image or a link to nothing.
        OSError: the folder cannot be read.
    """
    names: list[str] = []
    with os.scandir(root) as entries:
        for entry in entries:
            if _is_clutter(entry):
                continue
            where = str(root / entry.name)
            if entry.is_dir():
                names.append(entry.name)
            elif _is_broken(entry, where):
                refuse(_broken(where))
            else:
                hint = "move it into the folder of its class, or out of this folder"
                refuse(DataError("is not the folder of a class", where=where, hint=hint))
            if len(names) > FILES_PER_FOLDER:
                raise DataError(f"holds more than {FILES_PER_FOLDER:,} folders", where=str(root), hint="divide it")
    return sorted(names)


def _problem(entry: os.DirEntry[str], where: str, suffixes: Collection[str], accepted: str) -> DataError | None:
    """Return why an entry of a class folder is refused; None for images and empty folders."""
    if _is_broken(entry, where):
        return _broken(where)
    if entry.is_dir():
        if not os.listdir(where):  # noqa: PTH208  (names are enough)
            return None
        hint = "move its images into the folder of the class"
        return DataError("is a folder within the folder of a class", where=where, hint=hint)
    if not entry.is_file():
        return DataError("is not a regular file", where=where, hint="remove it")
    if Path(entry.name).suffix.lower() not in suffixes:
        return DataError(f"is not {accepted}", where=where, hint="convert it, or move it out of the folder")
    return None


def _is_broken(entry: os.DirEntry[str], where: str) -> bool:
    return entry.is_symlink() and not Path(where).exists()


def _broken(where: str) -> DataError:
    return DataError("is a link to nothing", where=where, hint="restore its target, or remove it")


def _is_clutter(entry: os.DirEntry[str]) -> bool:
    name = entry.name.lower()
    return name.startswith(".") or name in CLUTTER or (Path(name).suffix in NOTES and entry.is_file())
