"""Arrangements of a user's images: a folder for each split, or one folder whose images are divided by their content."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ddbench import DataError

from ..._image_files import SUFFIXES, class_folder_names, image_names, refused
from ..._paths import printable
from .listing import Listing

# Names of the folder with the validation images.
VALIDATION: Final = ("val", "validation", "valid", "test")


@dataclass(frozen=True)
class Layout(ABC):
    """The classes and the images of a folder.

    Attributes:
        root: the folder.
        refuse: receives a DataError for each file that cannot be an image; by default raises it.
    """

    root: Path
    refuse: Callable[[DataError], None] = field(default=refused, kw_only=True)

    @abstractmethod
    def classes(self) -> list[str]:
        """Return the names of the classes, sorted. Raise DataError if they cannot be read."""

    @abstractmethod
    def listing(self, split: str) -> Listing:
        """Return the images of ``train`` or ``validation``, by class and name. Raise DataError as ``classes`` does."""

    @abstractmethod
    def lacks(self, name: str, split: str) -> DataError:
        """Return the error for a class without images in a split."""

    def _folders_in(self, folder: Path) -> list[str]:
        """Return the names of the class folders. Raise DataError if there are none."""
        if not folder.is_dir():
            absent = folder if folder.parent.is_dir() else folder.parent
            raise DataError(
                f"{absent} is a file, not a folder" if absent.exists() else f"the folder {absent} does not exist"
            )
        names = class_folder_names(folder, self.refuse)
        if not names:
            raise DataError(f"{folder} contains no class folders")
        return names

    def _listed(self, folder: Path) -> list[tuple[int, str]]:
        """Return label and path of each image in the class folders, in order."""
        found: list[tuple[int, str]] = []
        for label, name in enumerate(self.classes()):
            own = image_names(folder / name, SUFFIXES, "a picture that ddbench reads", self.refuse)
            if not own:
                raise DataError(f"{folder / name} contains no images")
            found += [(label, f"{name}/{file}") for file in own]
        return found


@dataclass(frozen=True)
class SplitFolders(Layout):
    """``ROOT/train/<class>/*``, and a folder of the same classes with the validation images.

    Attributes:
        validation: the name of the folder with the validation images; None if only one is there.
    """

    validation: str | None

    def classes(self) -> list[str]:
        """Return the names of the class folders, which both splits must share."""
        own = self._validation()
        train, validation = self._folders_in(self.root / "train"), self._folders_in(self.root / own)
        for name in sorted(set(train) ^ set(validation)):
            present, absent = ("train", own) if name in train else (own, "train")
            raise DataError(f"class '{name}' has a folder in {self.root / present}, but not in {absent}")
        if len(train) < 2:
            raise DataError(f"{self.root / 'train'} contains one class, '{train[0]}'; at least two are needed")
        return train

    def listing(self, split: str) -> Listing:
        """Return the images of a split."""
        folder = self.root / ("train" if split == "train" else self._validation())
        return as_listing(folder, self._listed(folder))

    def lacks(self, name: str, split: str) -> DataError:
        """Return the error for a class without images in a split."""
        folder = "train" if split == "train" else self._validation()
        return DataError(f"{self.root / folder / name} contains no images")

    def _validation(self) -> str:
        """Return the name of the folder with the validation images. Raise DataError if two could be it."""
        if self.validation is not None:
            return self.validation
        found = [name for name in VALIDATION if (self.root / name).is_dir()]
        if len(found) > 1:
            both = f"'{found[0]}' and '{found[1]}'"
            hint = f"name the one that has the validation images, such as `validation: {found[0]}`"
            raise DataError(f"{self.root} has the folders {both}", hint=hint)
        return found[0] if found else VALIDATION[0]


@dataclass(frozen=True)
class Divided(Layout):
    """``ROOT/<class>/*``: the hash of an image's content decides its split.

    Images that are added move no others, and equal images are in one split.

    Attributes:
        share: the share of the images in validation.
        digests: returns the SHA-256 of files, given as paths relative to ``root``.
    """

    share: float
    digests: Callable[[Sequence[str]], Sequence[str]]

    def classes(self) -> list[str]:
        """Return the names of the class folders."""
        names = self._folders_in(self.root)
        if set(names) <= {"train", *VALIDATION}:
            raise DataError(f"{self.root} has the folder '{names[0]}' of a split", hint="remove `split`")
        if len(names) < 2:
            raise DataError(f"{self.root} contains one class, '{names[0]}'; at least two are needed")
        return names

    def listing(self, split: str) -> Listing:
        """Return the images of a split."""
        return as_listing(self.root, chosen(self._listed(self.root), self.share, self.digests, split))

    def lacks(self, name: str, split: str) -> DataError:
        """Return the error for a class without images in a split."""
        return empty_side(name, split, self.share)


def chosen(
    files: Sequence[tuple[int, str]], share: float, digests: Callable[[Sequence[str]], Sequence[str]], split: str
) -> list[tuple[int, str]]:
    """Return the files of a split.

    Validation has the files whose digests begin with 32 bits that are below the share of 2³².
    """
    found = digests([name for _, name in files])
    sides = ["validation" if int(digest[:8], 16) < share * 2**32 else "train" for digest in found]
    return [file for file, side in zip(files, sides, strict=True) if side == split]


def empty_side(name: str, split: str, share: float) -> DataError:
    """Return the error for a class whose images are all on the other side of a division."""
    side = "validation" if split == "validation" else "training"
    hint = f"{'raise' if split == 'validation' else 'lower'} `split`, or add images of the class"
    return DataError(f"`split: {share:g}` leaves class '{name}' without a {side} image", hint=hint)


def as_listing(folder: Path, files: Sequence[tuple[int, str]]) -> Listing:
    """Return the listing of files with their labels."""
    labels, names = [label for label, _ in files], [name for _, name in files]
    return Listing(folder, tuple(names), tuple(labels), tuple(map(printable, names)))
