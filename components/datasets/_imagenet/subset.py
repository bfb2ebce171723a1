"""The base class of subsets of ImageNet-1k."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from ddbench import ClassInfo, DataError, Params, Progress
from ddbench.toolkit import data_home

from ... import _image_files
from .._images.listing import ImageFiles, Listing

PAPER: Final = "arXiv:1409.0575"
LICENCE: Final = "ImageNet's terms of access: non-commercial research and education only"
SUFFIX: Final = ".JPEG"
# The folder of each split.
_FOLDERS: Final = {"train": "train", "validation": "val"}


class ImagenetSubset(ImageFiles):
    """Some classes of ImageNet-1k, with ImageNet's split.

    The user provides the images as ``imagenet/train/<WordNet id>/*.JPEG`` and ``imagenet/val/<WordNet id>/*.JPEG`` in
    the data folder. ``imagenet`` may be a link, and may contain other classes too. Images are ordered by class, then by
    file name. An image's id is its class folder and its file name without the suffix: ``n02096294/n02096294_1234``.

    Photographs are stored at 256 pixels, the size that the literature's generators produce; papers name no size. For a
    protocol with another input size, such as 224, the stored images are resized, for training and validation. Published
    code resizes the original photographs instead.

    Attributes:
        validation_count: validation images per class.
        train_range: the allowed number of training images per class, if the exact number is unknown.
    """

    licence = LICENCE
    image_size = 256
    validation_count: ClassVar[int] = 50
    train_range: ClassVar[range] = range(732, 1301)  # the range over the classes of ILSVRC 2012

    def __init__(self, params: Params | None = None) -> None:
        super().__init__(params)
        self.validation_counts = (self.validation_count,) * len(self.classes)

    def fetch(self, progress: Progress) -> None:
        """Decode the images. The user must agree to ImageNet's terms and get the images first."""
        problem = self.missing()
        if problem:
            raise DataError(
                f"{problem}; ImageNet cannot be fetched: get ILSVRC 2012 from https://image-net.org/download-images"
            )
        super().fetch(progress)

    @property
    def _root(self) -> Path:
        return data_home() / "imagenet"

    @property
    def _advice(self) -> str:
        layout = f"{self._root}/{{train,val}}/<WordNet id>/*{SUFFIX}"
        return f"store ImageNet as {layout}, and extract incomplete folders again"

    def _listing(self, split: str) -> Listing:
        return self._listing_in(self._root, split)

    def _listing_in(self, root: Path, split: str) -> Listing:
        """Return the listing of a split below ``root``."""
        folder = root / _FOLDERS[split]
        names = _class_files(folder, self.classes, self._allowed(split))
        files = tuple(f"{c.wnid}/{name}" for c, own in zip(self.classes, names, strict=True) for name in own)
        labels = tuple(label for label, own in enumerate(names) for _ in own)
        return Listing(folder, files, labels, tuple(file.removesuffix(SUFFIX) for file in files))

    def _allowed(self, split: str) -> list[range]:
        """Return the allowed number of images of each class."""
        counts = {"train": self.train_counts, "validation": self.validation_counts}[split]
        if counts is None:
            return [self.train_range] * len(self.classes)
        return [range(count, count + 1) for count in counts]


def _class_files(folder: Path, classes: Sequence[ClassInfo], allowed: Sequence[range]) -> list[list[str]]:
    """Return the file names of each class.

    Raises:
        DataError: a folder is missing, or a class has a number of files that is not in ``allowed``.
    """
    if not folder.is_dir():
        raise DataError(f"the folder {folder} does not exist")
    names = []
    for label, info in enumerate(classes):
        own = folder / str(info.wnid)
        if not own.is_dir():
            if any(path.suffix == SUFFIX for path in folder.iterdir()):
                raise DataError(f"the images in {folder} are not sorted into one folder per class")
            raise DataError(f"the folder {own} ({info.name}) does not exist")
        found = image_names(own)
        if not found:
            raise DataError(f"{own} ({info.name}) contains no {SUFFIX} files")
        if len(found) not in allowed[label]:
            least, most = allowed[label][0], allowed[label][-1]
            expected = least if least == most else f"{least} to {most}"
            raise DataError(f"{own} ({info.name}) contains {len(found)} {SUFFIX} files, not {expected}")
        names.append(found)
    return names


def image_names(folder: Path) -> list[str]:
    """Return the sorted names of the images directly in a folder. Raise DataError if an entry is another file."""
    return _image_files.image_names(folder, (SUFFIX.lower(),), f"a {SUFFIX} file")
