"""tiny-cifar, a small real data set in the package, for the smoke suite, tests and first steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from ddbench import DataError, Dataset, LabeledImages, component
from ddbench.toolkit import image_digests, sha256_json

from ._cifar import common as _cifar
from ._cifar.webp_tiles import decode_tiles
from ._download.download import file_size

if TYPE_CHECKING:
    from torch import Tensor

INDEX: Final = "index.json"
SHEETS: Final = {"train": ("train-0.webp", "train-1.webp"), "validation": ("validation-0.webp",)}
PER_CLASS: Final = {"train": 100, "validation": 50}


@component("dataset", "tiny-cifar", version=1, paper=_cifar.PAPER)
class TinyCifar(Dataset):
    """A subset of CIFAR-10 that is part of ddbench: 1,000 training and 500 validation images.

    Each class has 100 images of CIFAR-10's training split and 50 of its test split. Images are ordered by class, then
    by CIFAR-10's order. ``index.json`` lists each image's position in CIFAR-10, its class and its digest; the digest of
    the index is pinned in the code. Images have the same ids as in ``cifar10``.
    """

    classes = _cifar.CLASSES
    licence = _cifar.LICENCE
    image_size = _cifar.IMAGE_SIZE
    mean = _cifar.MEAN
    std = _cifar.STD
    train_counts = (PER_CLASS["train"],) * len(_cifar.CLASSES)
    validation_counts = (PER_CLASS["validation"],) * len(_cifar.CLASSES)
    folder: ClassVar[Path] = Path(__file__).with_name("_tiny_cifar")
    index_digest: ClassVar[str] = "0c6bad1a5a43e98f3fecb7a97cf20330934e571d57072feb419cb6141b5e99f5"

    def train(self) -> LabeledImages:
        """Return 1,000 images, 100 per class, ordered by class."""
        return self._read("train")

    def validation(self) -> LabeledImages:
        """Return 500 images, 50 per class, ordered by class."""
        return self._read("validation")

    def missing(self) -> str | None:
        """Return a message if files of the installed package are missing, otherwise None."""
        names = (INDEX, *SHEETS["train"], *SHEETS["validation"])
        missing = [name for name in names if not file_size(self.folder / name)]
        return f"tiny-cifar: no {', '.join(missing)} in {self.folder}; install ddbench again" if missing else None

    def _read(self, split: str) -> LabeledImages:
        import torch

        index = self._index()
        images = [self._sheet(name, [entry["sha256"] for entry in index[name]]) for name in SHEETS[split]]
        entries = [entry for name in SHEETS[split] for entry in index[name]]
        label_of = {info.name: label for label, info in enumerate(self.classes)}
        return LabeledImages(
            images=torch.cat(images),
            labels=torch.tensor([label_of[entry["class"]] for entry in entries]),
            ids=tuple(_cifar.image_id(split, entry["index"]) for entry in entries),
        )

    def _index(self) -> dict[str, list[dict[str, Any]]]:
        """Return the index entries of each sheet, in the order of its tiles."""
        try:
            index = json.loads((self.folder / INDEX).read_bytes())
        except (OSError, ValueError) as error:
            raise self._damaged(INDEX, str(error)) from None
        if sha256_json(index) != self.index_digest:
            raise self._damaged(INDEX, "its digest is not the pinned one")
        return dict(index["sheets"])

    def _sheet(self, name: str, digests: list[str]) -> Tensor:
        try:
            images = decode_tiles((self.folder / name).read_bytes(), self.image_size)
        except (OSError, ValueError) as error:
            raise self._damaged(name, str(error)) from None
        if image_digests(images) != digests:
            raise self._damaged(name, "its images are not those of the index")
        return images

    def _damaged(self, name: str, why: str) -> DataError:
        return DataError(f"is damaged: {why}", where=str(self.folder / name), hint="install ddbench again")
