"""The folder of each class in a pool, and its images in order. No image is decoded. Torch is not imported here."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias

from ddbench import ClassInfo, DataError
from ddbench.toolkit import data_home

from ..._digests import nothing, read_content
from ..._image_files import class_folder_names, image_names
from .content import readable

Order: TypeAlias = Literal["natural", "lexicographic"]

LOSSY: Final = frozenset((".jfif", ".jpe", ".jpeg", ".jpg"))
SUFFIXES: Final = LOSSY | {".png", ".webp"}


def class_folders(root: Path) -> list[Path]:
    """Return the folders directly in ``root``, by name, without hidden ones. Raise DataError if there are none."""
    with readable(root):
        exists = root.is_dir()
        found = [root / name for name in class_folder_names(root)] if exists else []
    if not exists:
        raise DataError(
            "there is no such folder",
            where=str(root),
            hint="check the path; a relative path starts at the working directory",
        )
    if not found:
        raise DataError("holds no class folders", where=str(root), hint="arrange the pool as <class>/<n>.png")
    return found


def match_classes(root: Path, classes: Sequence[ClassInfo]) -> list[Path]:
    """Return the folder of each class, in label order.

    All folders are named by one scheme: class name, WordNet id, label index (0 … C − 1), or ImageNet-1k index. Case,
    spaces and punctuation of names are ignored, and leading zeros of an index. Folders of other classes are ignored,
    so one ImageNet pool serves its subsets.

    Raises:
        DataError: a class has no folder or two, or two schemes fit and disagree. Label indices are also refused if
            labels do not follow the WordNet ids, since pools are numbered in either order.
    """
    folders = class_folders(root)
    fitting: dict[str, list[Path]] = {}
    misfits: list[tuple[int, str]] = []
    for scheme, names in _schemes(classes).items():
        found, missing = _matched(names, folders)
        misfits.append((len(missing), f"no folder for class '{classes[missing[0]].name}'" if missing else ""))
        if not missing:
            fitting[scheme] = [_only(found[c], classes[c].name) for c in range(len(classes))]
    if not fitting:
        raise DataError(min(misfits, key=lambda misfit: misfit[0])[1], where=str(root), hint=_naming_hint(classes))
    return _agreed_folders(fitting, classes, root)


def _schemes(classes: Sequence[ClassInfo]) -> dict[str, tuple[str, ...]]:
    """Return the names of the classes in each scheme that has a different name for every class."""
    schemes: dict[str, list[str | int | None]] = {
        "class names": [c.name for c in classes],
        "WordNet ids": [c.wnid for c in classes],
        "label indices": list(range(len(classes))),
        "ImageNet indices": [c.imagenet_index for c in classes],
    }
    spelt = {s: tuple(str(n) for n in names) for s, names in schemes.items() if None not in names}
    return {scheme: names for scheme, names in spelt.items() if len(set(map(_composed, names))) == len(names)}


def _matched(names: Sequence[str], folders: Sequence[Path]) -> tuple[dict[int, list[Path]], list[int]]:
    """Return the folders of each class, and the classes without one, by the strictest spelling that serves all.

    Names are compared as they are, up to the composition of accents, or else by letters and digits alone.
    """
    missing: list[int] = []
    for spell in (_composed, _spelling):
        by_name: dict[str, list[Path]] = {}
        for folder in folders:
            by_name.setdefault(spell(folder.name), []).append(folder)
        wanted = [spell(name) for name in names]
        missing = [c for c, name in enumerate(wanted) if name not in by_name or wanted.count(name) > 1]
        if not missing:
            alike = {_spelling(name): c for c, name in enumerate(names)} if _are_apart(names) else {}
            chosen = {c: by_name[name] for c, name in enumerate(wanted)}
            used = {folder for own in chosen.values() for folder in own}
            for folder in folders:
                if folder not in used and _spelling(folder.name) in alike:
                    chosen[alike[_spelling(folder.name)]].append(folder)
            return chosen, []
    return {}, missing


def _are_apart(names: Sequence[str]) -> bool:
    """Return whether letters and digits alone tell the names apart."""
    return len(set(map(_spelling, names))) == len(names)


def _composed(name: str) -> str:
    """Return a name in Unicode's composed form. Other systems store accents as characters of their own."""
    return unicodedata.normalize("NFC", name)


def _spelling(name: str) -> str:
    """Return a name for comparison: lower-case letters and digits, or a number without leading zeros."""
    plain = "".join(ch for ch in _composed(name).casefold() if ch.isalnum())
    return str(int(plain)) if plain.isdecimal() else plain


def _only(folders: list[Path], class_name: str) -> Path:
    if len(folders) > 1:
        both = " and ".join(f"'{folder.name}'" for folder in folders)
        raise DataError(f"{both} both name class '{class_name}'", where=str(folders[0].parent), hint="remove one")
    return folders[0]


def _agreed_folders(fitting: dict[str, list[Path]], classes: Sequence[ClassInfo], root: Path) -> list[Path]:
    """Return the folders if all schemes that fit agree. Raise DataError if the names are ambiguous."""
    first, *others = fitting.values()
    if any(other != first for other in others):
        problem = f"can be read as {' or as '.join(fitting)}, which disagree"
    elif "label indices" in fitting and not _follow_wordnet(classes):
        problem = "are numbered, which could follow the order of the labels or that of the WordNet ids"
    else:
        return first
    raise DataError(f"the folders {problem}", where=str(root), hint="name them by class name or WordNet id")


def _follow_wordnet(classes: Sequence[ClassInfo]) -> bool:
    """Return whether the labels of classes with WordNet ids follow the order of these ids."""
    wnids = [c.wnid for c in classes if c.wnid]
    return wnids == sorted(wnids)


def _naming_hint(classes: Sequence[ClassInfo]) -> str:
    first = classes[0]
    ways = [f"class name ('{first.name}')"]
    ways += [f"WordNet id ('{first.wnid}')"] if first.wnid else []
    ways += ["label index ('0')"] if _follow_wordnet(classes) else []
    ways += [f"ImageNet index ('{first.imagenet_index}')"] if first.imagenet_index is not None else []
    return f"name the folders by {' or '.join(ways)}"


def image_files(folder: Path, order: Order = "natural") -> list[Path]:
    """Return the images of one class in order. Hidden files and text files are ignored.

    Args:
        folder: the folder of the class.
        order: ``natural`` puts ``2.png`` before ``10.png``; ``lexicographic`` sorts names as text.

    Raises:
        DataError: there is no image, or another entry.
    """
    with readable(folder):
        images = [folder / name for name in image_names(folder, SUFFIXES, "PNG, WebP or JPEG")]
    if not images:
        raise DataError("holds no PNG, WebP or JPEG images", where=str(folder))
    if order == "lexicographic":
        return images
    return sorted(images, key=lambda path: _natural(path.name))


def _natural(name: str) -> tuple[list[str | int], str]:
    """Return a sort key that compares runs of digits as numbers; leading zeros break ties."""
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name


def pool_digest(root: Path) -> str:
    """Return the hex SHA-256 of the names of class folders, the names of images, and the bytes of images."""
    files = [str(path.relative_to(root)) for folder in class_folders(root) for path in image_files(folder)]
    mark = hashlib.sha256(os.fsencode(root.absolute())).hexdigest()[:16]
    with readable(root):
        content = read_content(root, files, data_home() / "cache" / "folder" / f"{mark}.json", nothing)
    digest = hashlib.sha256()
    for name, own in zip(files, content.digests, strict=True):
        folder, _, image = name.rpartition(os.sep)
        digest.update(os.fsencode(f"{folder}\0{image}\0{own}\0"))  # names need not be UTF-8
    return digest.hexdigest()
