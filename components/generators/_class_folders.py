"""Which folder of a pool holds which class, and its images in order. Nothing is decoded and torch is not imported."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ddbench import ClassInfo, DataError

from ._content import content_digest

SUFFIXES: Final = (".png", ".webp")
OTHER_IMAGES: Final = (".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".avif", ".jxl")


def class_folders(root: Path) -> list[Path]:
    """The folders directly in ``root``, by name; hidden ones do not count. Raises DataError if there are none."""
    if not root.is_dir():
        raise DataError(
            "there is no such folder", where=str(root), hint="a pool is <class>/<n>.png, relative to where ddbench runs"
        )
    found = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not found:
        raise DataError("holds no class folders", where=str(root), hint="a pool is <class>/<n>.png")
    return found


def match_classes(root: Path, classes: Sequence[ClassInfo]) -> list[Path]:
    """The folder of each class, in label order.

    All folders are named by one scheme: class name (case, spaces and punctuation do not count), WordNet id, label
    index (0 … C − 1), or ImageNet-1k index; leading zeros of an index do not count. Folders of other classes may lie
    beside them, so that one ImageNet pool serves its subsets.

    Raises:
        DataError: a class has no folder or two, or two schemes fit and disagree.
    """
    folders = class_folders(root)
    fitting: dict[str, list[Path]] = {}
    misfits: list[tuple[int, str]] = []
    for scheme, names in _schemes(classes).items():
        by_name: dict[str, list[Path]] = {}
        for folder in folders:
            by_name.setdefault(_spelling(folder.name), []).append(folder)
        missing = [c for c, name in enumerate(names) if name not in by_name]
        misfits.append((len(missing), f"no folder for class '{classes[missing[0]].name}'" if missing else ""))
        if not missing:
            fitting[scheme] = [_only(by_name[name], classes[c].name) for c, name in enumerate(names)]
    if not fitting:
        raise DataError(min(misfits, key=lambda misfit: misfit[0])[1], where=str(root), hint=_naming(classes))
    choices = list(fitting.values())
    if any(choice != choices[0] for choice in choices):
        raise DataError(
            f"the folders can be read as {' or as '.join(fitting)}, which disagree",
            where=str(root),
            hint="name them by class name or WordNet id",
        )
    return choices[0]


def _schemes(classes: Sequence[ClassInfo]) -> dict[str, tuple[str, ...]]:
    """For each scheme that tells the classes apart, their names under it."""
    schemes: dict[str, list[str | int | None]] = {
        "class names": [c.name for c in classes],
        "WordNet ids": [c.wnid for c in classes],
        "label indices": list(range(len(classes))),
        "ImageNet indices": [c.imagenet_index for c in classes],
    }
    spelt = {s: tuple(_spelling(str(n)) for n in names) for s, names in schemes.items() if None not in names}
    return {scheme: names for scheme, names in spelt.items() if len(set(names)) == len(names)}


def _spelling(name: str) -> str:
    """A name as it is compared: letters and digits, lower case; a number without leading zeros."""
    plain = "".join(ch for ch in name.casefold() if ch.isalnum())
    return str(int(plain)) if plain.isdecimal() else plain


def _only(folders: list[Path], class_name: str) -> Path:
    if len(folders) > 1:
        both = " and ".join(f"'{folder.name}'" for folder in folders)
        raise DataError(f"{both} both name class '{class_name}'", where=str(folders[0].parent), hint="remove one")
    return folders[0]


def _naming(classes: Sequence[ClassInfo]) -> str:
    first = classes[0]
    wnid = f", by WordNet id ('{first.wnid}')" if first.wnid else ""
    index = f" or ImageNet index ('{first.imagenet_index}')" if first.imagenet_index is not None else ""
    return f"name the folders by class name ('{first.name}'){wnid}, or by label index ('0'){index}"


def image_files(folder: Path) -> list[Path]:
    """The images of one class in natural order: ``2.png`` before ``10.png``. Hidden and non-image files do not count.

    Raises:
        DataError: an image is of another format, or there is none.
    """
    files = [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")]
    for path in sorted(files):
        if path.suffix.lower() in OTHER_IMAGES:
            raise DataError("is neither PNG nor lossless WebP", where=str(path), hint="convert it to PNG")
    images = [p for p in files if p.suffix.lower() in SUFFIXES]
    if not images:
        raise DataError("holds no PNG or WebP images", where=str(folder))
    return sorted(images, key=lambda path: _natural(path.name))


def _natural(name: str) -> tuple[list[str | int], str]:
    """Runs of digits as numbers; names that differ in leading zeros alone by spelling."""
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name


def pool_digest(root: Path) -> str:
    """Hex SHA-256 over the class folders' names, the images' names, and the images' bytes."""
    digest = hashlib.sha256()
    for folder in class_folders(root):
        for path in image_files(folder):
            digest.update(f"{folder.name}\0{path.name}\0{content_digest(path)}\0".encode())
    return digest.hexdigest()
