"""The folder of each class in a pool, and its images in order. No image is decoded. Torch is not imported here."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, TypeAlias

from ddbench import DataError, Dataset, TrainingData
from ddbench.toolkit import data_home

from ..._class_names import match_names
from ..._digests import nothing, read_content
from ..._image_files import class_folder_names, image_names
from ..._paths import printable
from .content import readable

Order: TypeAlias = Literal["natural", "lexicographic"]
Layout: TypeAlias = Literal["minimax", "rded"]

LOSSY: Final = frozenset((".jfif", ".jpe", ".jpeg", ".jpg"))
SUFFIXES: Final = LOSSY | {".png", ".webp"}
# The names of the folders and files that the code of each project writes.
_NAMES: Final = {
    "minimax": (re.compile(r"n\d{8}"), re.compile(r"\d+\.png"), "n01440764/0.png"),
    "rded": (re.compile(r"\d{5}"), re.compile(r"class(\d{5})_id\d{5}\.(?:jpg|png)"), "00000/class00000_id00000.jpg"),
}


def class_folders(root: Path) -> list[Path]:
    """Return the folders directly in ``root``, by name, without hidden ones. Raise DataError if there are none."""
    with readable(root):
        exists = root.is_dir()
        found = [root / name for name in class_folder_names(root)] if exists else []
    if not exists:
        raise DataError(
            "there is no such folder",
            where=str(root),
            hint="check the path; in a suite, a relative path starts at its folder",
        )
    if not found:
        raise DataError("holds no class folders", where=str(root), hint="arrange the pool as <class>/<n>.png")
    return found


def match_classes(root: Path, data: Dataset | TrainingData, listed: Sequence[str] | None = None) -> list[Path]:
    """Return the folder of each class, in label order.

    Folders of other classes are ignored. Label indices are names too, if the order of the classes is not in doubt.

    Args:
        root: the folder of the pool.
        data: the data set.
        listed: the names of the folders 0, 1, …; None if folders have names of their own.

    Raises:
        DataError: a class has no folder or two, or the names are ambiguous; see ``match_names``. Or names are listed
            for folders that are not numbered from 0 on.
    """
    folders = class_folders(root)
    names = [printable(folder.name) for folder in folders]
    if listed is not None:
        numbers = [int(name) if name.isdecimal() else -1 for name in names]
        if sorted(numbers) != list(range(len(listed))):
            hint = "list a name for each of its folders 0, 1, …, or remove `classes`"
            problem = f"has {len(names)} folders that are not the {len(listed)} classes by number"
            raise DataError(problem, where=str(root), hint=hint)
        names = [listed[number] for number in numbers]
    return [folders[i] for i in match_names(names, data, str(root), "folder", "folders", numbers=listed is None)]


def check_layout(root: Path, layout: Layout) -> None:
    """Raise DataError if a folder or an image has a name that the project of the layout does not write."""
    of_folder, of_file, example = _NAMES[layout]
    for folder in class_folders(root):
        fits = of_folder.fullmatch(folder.name)
        for path in image_files(folder) if fits else [folder]:
            match = of_file.fullmatch(path.name)
            if match is None or folder.name not in (match.groups() or (folder.name,)):
                where, hint = str(path), f"its files are like {example}; remove `layout` if this is another project's"
                raise DataError(f"is not of the layout '{layout}'", where=where, hint=hint)


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
    return sorted(images, key=lambda path: natural(path.name))


def natural(name: str) -> tuple[list[str | int], str]:
    """Return a sort key of a file name that compares runs of digits as numbers; leading zeros break ties."""
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
