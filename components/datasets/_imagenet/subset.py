"""What the subsets of ImageNet-1k share: where their images lie, and in which order they are taken."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from ddbench import ClassInfo, DataError, Params, Progress
from ddbench.toolkit import data_home

from .._images.listing import ImageFiles, Listing

PAPER: Final = "arXiv:1409.0575"
SUFFIX: Final = ".JPEG"
# The folders of the splits, by our names of them.
_FOLDERS: Final = {"train": "train", "validation": "val"}


class ImagenetSubset(ImageFiles):
    """Some classes of ImageNet-1k, with ImageNet's own split.

    The images lie where the user has put them: ``imagenet/train/<WordNet id>/*.JPEG`` and
    ``imagenet/val/<WordNet id>/*.JPEG`` in the data folder; ``imagenet`` may be a link, and folders of other classes
    may lie beside those that are used. Class follows class, and within a class file follows file in the order of their
    names. An image's id is its class folder and its file's name without the suffix: ``n02096294/n02096294_1234``.

    The distillation literature names no size for stored real images; 256 pixels is what its generators make. Where a
    protocol's input is another size, such as 224, real images are resized from there, for training and validation
    alike; the published code resizes the photographs themselves, once.

    Attributes:
        validation_count: validation images of each class.
        train_range: how many training images a class may have, where it is not known how many it has.
    """

    image_size = 256
    validation_count: ClassVar[int] = 50
    train_range: ClassVar[range] = range(732, 1301)  # the least and the most that a class of ILSVRC 2012 has

    def __init__(self, params: Params | None = None) -> None:
        super().__init__(params)
        self.validation_counts = (self.validation_count,) * len(self.classes)

    def fetch(self, progress: Progress) -> None:
        """Decode the images that are there; ImageNet itself is to be had by a person who agrees to its terms."""
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
        return f"lay ImageNet out as {layout}, and extract again what is incomplete"

    def _listing(self, split: str) -> Listing:
        return self._listing_in(self._root, split)

    def _listing_in(self, root: Path, split: str) -> Listing:
        """The listing where the images lie below ``root``."""
        folder = root / _FOLDERS[split]
        names = _class_files(folder, self.classes, self._allowed(split))
        files = tuple(f"{c.wnid}/{name}" for c, own in zip(self.classes, names, strict=True) for name in own)
        labels = tuple(label for label, own in enumerate(names) for _ in own)
        return Listing(folder, files, labels, tuple(file.removesuffix(SUFFIX) for file in files))

    def _allowed(self, split: str) -> list[range]:
        """How many images each class may have."""
        counts = {"train": self.train_counts, "validation": self.validation_counts}[split]
        if counts is None:
            return [self.train_range] * len(self.classes)
        return [range(count, count + 1) for count in counts]


def _class_files(folder: Path, classes: Sequence[ClassInfo], allowed: Sequence[range]) -> list[list[str]]:
    """The names of the files of each class. ``allowed`` is how many these may be.

    Raises:
        DataError: what the folder of a split lacks, in one clause.
    """
    if not folder.is_dir():
        raise DataError(f"there is no folder {folder}")
    names = []
    for label, info in enumerate(classes):
        own = folder / str(info.wnid)
        if not own.is_dir():
            if image_names(folder):
                raise DataError(f"the images in {folder} are not sorted into a folder a class")
            raise DataError(f"there is no folder {own} ({info.name})")
        found = image_names(own)
        if not found:
            raise DataError(f"{own} ({info.name}) holds no {SUFFIX} files")
        if len(found) not in allowed[label]:
            least, most = allowed[label][0], allowed[label][-1]
            wanted = least if least == most else f"{least} to {most}"
            raise DataError(f"{own} ({info.name}) holds {len(found)} {SUFFIX} files, not {wanted}")
        names.append(found)
    return names


def image_names(folder: Path) -> list[str]:
    """The names of the images directly in a folder, in their order; hidden files, as macOS adds them, are none."""
    names = (path.name for path in folder.iterdir())
    return sorted(name for name in names if name.endswith(SUFFIX) and not name.startswith("."))
