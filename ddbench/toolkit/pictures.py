"""Reports of components on a user's pictures, for `ddbench init --images` and `ddbench pool`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ddbench.api import Dataset, Progress


@dataclass(frozen=True)
class Survey:
    """The usable pictures of a data set.

    Attributes:
        classes: the names of the classes.
        train: usable training images of each class.
        validation: usable validation images of each class.
        sides: the smaller side of each usable picture, in pixels.
        turned: the number of usable pictures that their EXIF data turn.
        refused: a line for each entry that cannot be used.
    """

    classes: tuple[str, ...]
    train: tuple[int, ...]
    validation: tuple[int, ...]
    sides: tuple[int, ...]
    turned: int
    refused: tuple[str, ...]


@dataclass(frozen=True)
class ImportedPictures:
    """The pictures of a new pool.

    Attributes:
        counts: images of each class, by the name of its folder.
        turned: the number of pictures that were turned upright.
        ignored: names of folders of other classes.
        refused: a line for each entry that cannot be used.
    """

    counts: dict[str, int]
    turned: int
    ignored: tuple[str, ...]
    refused: tuple[str, ...]


class Surveys(Protocol):
    """A data set that can look at all pictures of a user."""

    def survey(self, progress: Progress) -> Survey:
        """Decode all pictures. Raise DataError if the classes cannot be read."""


class ImportsPictures(Protocol):
    """A generator that can make its pool from pictures of any size."""

    def import_pictures(self, dataset: Dataset, target: Path, progress: Progress) -> ImportedPictures:
        """Write a pool for a data set to an empty folder. Raise DataError if the classes do not match."""
