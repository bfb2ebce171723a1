"""Tiny ImageNet, 200 classes of ImageNet at 64 pixels."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Final

from ddbench import DataError, LabeledImages, Params, Progress, component
from ddbench.toolkit import data_home

from ._download.archives import Archive, get_extracted
from ._imagenet.classes import imagenet_classes
from ._imagenet.subset import LICENCE, SUFFIX, image_names
from ._images.listing import SPLITS, ImageFiles, Listing
from ._leakage import class_counts, without_validation_images

# fmt: off
INDICES: Final = (
    1, 25, 30, 32, 50, 61, 69, 71, 75, 76, 79, 99, 105, 107, 109, 113, 114, 115, 122, 123, 128, 145, 146, 149, 151,
    187, 207, 208, 235, 267, 281, 283, 285, 286, 291, 294, 301, 308, 309, 311, 313, 314, 315, 319, 323, 325, 329,
    338, 341, 345, 347, 349, 353, 354, 365, 367, 372, 386, 387, 398, 400, 406, 411, 414, 421, 424, 425, 427, 430,
    435, 436, 437, 438, 440, 445, 447, 448, 457, 458, 462, 463, 466, 467, 470, 471, 474, 480, 485, 488, 492, 496,
    500, 508, 509, 511, 517, 525, 526, 532, 542, 543, 557, 562, 565, 567, 568, 570, 573, 576, 604, 605, 612, 614,
    619, 621, 625, 627, 635, 645, 652, 655, 675, 677, 678, 682, 683, 687, 704, 707, 716, 720, 731, 733, 734, 735,
    737, 739, 744, 747, 758, 760, 761, 765, 768, 774, 779, 781, 786, 801, 806, 808, 811, 815, 817, 821, 826, 837,
    839, 842, 845, 849, 850, 853, 862, 866, 873, 874, 877, 879, 887, 888, 890, 899, 900, 909, 910, 917, 923, 924,
    928, 929, 932, 935, 938, 945, 947, 950, 951, 954, 957, 962, 963, 964, 967, 970, 972, 973, 975, 978, 988,
)
# fmt: on
_ANNOTATIONS: Final = "val_annotations.txt"


@component("dataset", "tiny-imagenet", version=1, paper="Le & Yang 2015, Tiny ImageNet Visual Recognition Challenge")
class TinyImagenet(ImageFiles):
    """Tiny ImageNet: 100,000 training and 10,000 validation photographs of 64 × 64 pixels in 200 classes of ImageNet.

    Classes are sorted by WordNet id, like their folders and ImageNet's labels; the archive's ``wnids.txt`` has another
    order. A class is named by its first word in WordNet (``words.txt``). Images are ordered by class, then by file
    name. Grey images are converted to RGB. The archive's test images have no labels and are not used.

    ``ddbench fetch`` uses ``tiny-imagenet-200.zip`` in the data folder, or downloads it from its official address. It
    extracts it to ``tiny-imagenet-200`` in the data folder; you may also create that folder yourself. Training images
    that equal a validation image pixel by pixel are removed. Plans use the count before the removal, 500 training
    images per class.
    """

    classes = imagenet_classes(INDICES)
    licence = LICENCE
    image_size = 64
    ambiguous_order = True
    archive: ClassVar[Archive] = Archive(
        "http://cs231n.stanford.edu/tiny-imagenet-200.zip", "tiny-imagenet-200", "90528d7ca1a48142e341f4ef8d21d0de"
    )
    # Images per class on disk.
    counts: ClassVar[dict[str, int]] = {"train": 500, "validation": 50}

    def __init__(self, params: Params | None = None) -> None:
        super().__init__(params)
        self.train_counts = (self.counts["train"],) * len(self.classes)
        self.validation_counts = (self.counts["validation"],) * len(self.classes)

    def train(self) -> LabeledImages:
        """Return the training images, ordered by class, without those that are validation images too."""
        train = without_validation_images(super().train(), self.validation())
        self.train_counts = class_counts(train, len(self.classes))  # after the removal
        return train

    def fetch(self, progress: Progress) -> None:
        """Download and extract the archive if it is missing, and decode the images."""
        if self.missing():
            get_extracted(self.archive, data_home(), self._check, progress)
        super().fetch(progress)

    @property
    def _advice(self) -> str:
        return f"run `ddbench fetch {self.info.name}`, or extract {self.archive.name} into {data_home()}"

    def _check(self, root: Path) -> None:
        for split in SPLITS:
            self._listing_in(root, split)

    def _listing(self, split: str) -> Listing:
        return self._listing_in(data_home() / self.archive.folder, split)

    def _listing_in(self, root: Path, split: str) -> Listing:
        """Return the listing of a split below ``root``."""
        folder = root / {"train": "train", "validation": "val"}[split]
        if not folder.is_dir():
            raise DataError(f"the folder {folder} does not exist")
        of_class = self._train_files(folder) if split == "train" else self._validation_files(folder)
        count = self.counts[split]
        for info, own in zip(self.classes, of_class, strict=True):
            if len(own) != count:
                found = f"{len(own)} {SUFFIX} files of {info.wnid} ({info.name})"
                raise DataError(f"{folder} contains {found}, not {count}")
        files = tuple(file for own in of_class for file in own)
        labels = tuple(label for label, own in enumerate(of_class) for _ in own)
        return Listing(folder, files, labels, tuple(Path(file).stem for file in files))

    def _train_files(self, folder: Path) -> list[list[str]]:
        """Return the files of each class, relative to ``folder``."""
        of_class = []
        for info in self.classes:
            own = folder / str(info.wnid) / "images"
            names = image_names(own) if own.is_dir() else []
            of_class.append([f"{info.wnid}/images/{name}" for name in names])
        return of_class

    def _validation_files(self, folder: Path) -> list[list[str]]:
        """Return the files of each class by the annotation file, relative to ``folder``."""
        label_of = {info.wnid: label for label, info in enumerate(self.classes)}
        present = set(image_names(folder / "images"))
        of_class: list[list[str]] = [[] for _ in self.classes]
        for number, line in enumerate((folder / _ANNOTATIONS).read_text().splitlines(), start=1):
            name, wnid = (*line.split("\t"), "", "")[:2]
            if wnid not in label_of:
                raise DataError(f"{folder / _ANNOTATIONS}:{number} names no class of Tiny ImageNet: {line!r}")
            if name in present:
                of_class[label_of[wnid]].append(f"images/{name}")
        return [sorted(files) for files in of_class]
