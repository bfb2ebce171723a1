"""Which folder of a pool holds which class, and its images in order. Nothing is decoded and torch is not imported."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias

from ddbench import ClassInfo, DataError

from .content import content_digest, readable

Order: TypeAlias = Literal["natural", "lexicographic"]

SUFFIXES: Final = (".png", ".webp")
OTHER_IMAGES: Final = (".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".avif", ".jxl")


def class_folders(root: Path) -> list[Path]:
    """The folders directly in ``root``, by name; hidden ones do not count. Raises DataError if there are none."""
    with readable(root):
        there = root.is_dir()
        found = sorted(p for p in root.iterdir() if p.is_dir() and not p.name.startswith(".")) if there else []
    if not there:
        raise DataError(
            "there is no such folder", where=str(root), hint="a pool is <class>/<n>.png, relative to where ddbench runs"
        )
    if not found:
        raise DataError("holds no class folders", where=str(root), hint="a pool is <class>/<n>.png")
    return found


def match_classes(root: Path, classes: Sequence[ClassInfo]) -> list[Path]:
    """The folder of each class, in label order.

    All folders are named by one scheme: class name (case, spaces and punctuation do not count), WordNet id, label
    index (0 … C − 1), or ImageNet-1k index; leading zeros of an index do not count. Folders of other classes may lie
    beside them, so that one ImageNet pool serves its subsets.

    Raises:
        DataError: a class has no folder or two, two schemes fit and disagree, or label indices fit, and labels do not
            follow the WordNet ids: pools are numbered by either order, and do not say by which.
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
    return _only_reading(fitting, classes, root)


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


def _only_reading(fitting: dict[str, list[Path]], classes: Sequence[ClassInfo], root: Path) -> list[Path]:
    """The folders on which all schemes that fit agree. Raises DataError where the names leave a doubt."""
    first, *others = fitting.values()
    if any(other != first for other in others):
        doubt = f"can be read as {' or as '.join(fitting)}, which disagree"
    elif "label indices" in fitting and not _follow_wordnet(classes):
        doubt = "are numbered, which could follow the order of the labels or that of the WordNet ids"
    else:
        return first
    raise DataError(f"the folders {doubt}", where=str(root), hint="name them by class name or WordNet id")


def _follow_wordnet(classes: Sequence[ClassInfo]) -> bool:
    """Whether labels come in the order of the WordNet ids, as far as there are any."""
    wnids = [c.wnid for c in classes if c.wnid]
    return wnids == sorted(wnids)


def _naming(classes: Sequence[ClassInfo]) -> str:
    first = classes[0]
    ways = [f"class name ('{first.name}')"]
    ways += [f"WordNet id ('{first.wnid}')"] if first.wnid else []
    ways += ["label index ('0')"] if _follow_wordnet(classes) else []
    ways += [f"ImageNet index ('{first.imagenet_index}')"] if first.imagenet_index is not None else []
    return f"name the folders by {' or '.join(ways)}"


def image_files(folder: Path, order: Order = "natural") -> list[Path]:
    """The images of one class in order. Hidden and non-image files do not count.

    Args:
        order: natural, ``2.png`` before ``10.png``; or that of the names as text.

    Raises:
        DataError: an image is of another format, or there is none.
    """
    with readable(folder):
        files = [p for p in folder.iterdir() if p.is_file() and not p.name.startswith(".")]
    for path in sorted(files):
        if path.suffix.lower() in OTHER_IMAGES:
            raise DataError("is neither PNG nor lossless WebP", where=str(path), hint="convert it to PNG")
    images = [p for p in files if p.suffix.lower() in SUFFIXES]
    if not images:
        raise DataError("holds no PNG or WebP images", where=str(folder))
    if order == "lexicographic":
        return sorted(images, key=lambda path: path.name)
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
            named = f"{folder.name}\0{path.name}\0{content_digest(path)}\0"
            digest.update(named.encode(errors="surrogateescape"))  # names need not be UTF-8
    return digest.hexdigest()
