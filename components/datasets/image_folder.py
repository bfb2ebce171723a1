"""Anybody's own images."""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field

import ddbench
from ddbench import ClassInfo, DataError, TrainingData, component, unkeyed
from ddbench import Params as BaseParams
from ddbench.toolkit import data_home, sha256_json

from .._paths import UserPath, printable
from ._imagenet.classes import imagenet_class
from ._images.digests import content_digest
from ._images.listing import MEAN, SPLITS, STD, ImageFiles, Listing

_FOLDERS: Final = {"train": "train", "validation": "val"}
_Share = Annotated[float, Field(ge=0, le=1)]
_Spread = Annotated[float, Field(gt=0, le=1)]


@component("dataset", "image-folder", version=1)
class ImageFolder(ImageFiles):
    """A folder of one's own images, with a training and a validation split and a folder a class.

    The images are ``PATH/train/<class>/*`` and ``PATH/val/<class>/*``, in any format that Pillow reads and of any size:
    the shorter side is brought to ``image_size`` and the middle is kept. As in torchvision, a rotation in a file's EXIF
    data is not applied. Every file directly in a class folder is an image, except hidden ones.

    Classes are labelled in the order of their folders' names and named by them. A folder that is named by a WordNet id
    of ImageNet-1k is that class, with its name and its ImageNet label, so that generators and teachers for ImageNet
    know it. Images come class after class, in the order of their files' names.

    The data set is known by its content: the path, which is resolved relative to the working directory, enters no key.
    """

    class Params(ddbench.Params):
        path: UserPath = unkeyed(description="the folder that holds train and val")
        image_size: int = Field(256, ge=1, description="height and width, in pixels, at which images are kept")
        mean: tuple[_Share, _Share, _Share] = Field(
            MEAN, description="of each channel, for pixels in [0, 1]; ImageNet's by default"
        )
        std: tuple[_Spread, _Spread, _Spread] = Field(STD, description="likewise the standard deviation")

    params: Params

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """The training images as PNG files in ``scratch``; every third is for validation."""
        from PIL import Image

        for place, (image, label) in enumerate(zip(data.train.images, data.train.labels.tolist(), strict=True)):
            split = "val" if place // len(data.classes) % 3 == 0 else "train"
            path = scratch / split / data.class_names[label] / f"{data.train.ids[place]}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(path)
        return {"path": scratch, "image_size": data.image_size}

    def __init__(self, params: BaseParams | None = None) -> None:
        super().__init__(params)
        self.image_size, self.mean, self.std = self.params.image_size, self.params.mean, self.params.std

    # What other data sets declare is known here from the folder alone.

    @cached_property
    def classes(self) -> tuple[ClassInfo, ...]:  # type: ignore[override]
        """The class folders, by name. Raises DataError where the folder is not there or is none of this layout."""
        with self._complaints():
            return tuple(imagenet_class(name) or ClassInfo(printable(name)) for name in self._class_folders())

    @cached_property
    def train_counts(self) -> tuple[int, ...]:  # type: ignore[override]
        """Files of each class for training. Raises DataError as ``classes`` does."""
        return self._counts("train")

    @cached_property
    def validation_counts(self) -> tuple[int, ...]:  # type: ignore[override]
        """Files of each class for validation. Raises DataError as ``classes`` does."""
        return self._counts("validation")

    def fingerprint(self) -> str:
        """SHA-256 over the names and bytes of all images. Raises DataError where the folder is missing or unfit."""
        listings = self._listings()
        with self._complaints():
            return sha256_json({split: self._content(split, listing) for split, listing in listings.items()})

    @property
    def _advice(self) -> str:
        return "lay images out as PATH/{train,val}/<class>/*, with the same classes in both"

    @property
    def _own(self) -> Path:
        """What is kept of this path."""
        mark = hashlib.sha256(str(self.params.path.absolute()).encode(errors="surrogateescape")).hexdigest()[:16]
        return data_home() / "cache" / self.info.name / mark

    @property
    def _cache(self) -> Path:
        return self._own / str(self.image_size)

    def _content(self, split: str, listing: Listing) -> str:
        return content_digest(listing.folder, listing.files, self._own / f"{split}.json")

    def _counts(self, split: str) -> tuple[int, ...]:
        labels = Counter(self._listings()[split].labels)
        return tuple(labels[label] for label in range(len(self.classes)))

    def _class_folders(self) -> list[str]:
        """The names of the class folders, the same in both splits."""
        found = {split: self._folders_in(self.params.path / _FOLDERS[split]) for split in SPLITS}
        train, validation = found["train"], found["validation"]
        for name in sorted(set(train) ^ set(validation)):
            has, lacks = ("train", "val") if name in train else ("val", "train")
            raise DataError(f"class '{name}' has a folder in {self.params.path / has} and none in {lacks}")
        if len(train) < 2:
            raise DataError(f"{self.params.path / 'train'} holds one class, '{train[0]}': two are the least")
        return train

    def _folders_in(self, folder: Path) -> list[str]:
        if not folder.is_dir():
            raise DataError(f"there is no folder {folder if folder.parent.is_dir() else folder.parent}")
        names = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        if not names:
            raise DataError(f"{folder} holds no class folders")
        return names

    def _listing(self, split: str) -> Listing:
        folder, files, labels = self.params.path / _FOLDERS[split], list[str](), list[int]()
        for label, name in enumerate(self._class_folders()):
            own = sorted(p.name for p in (folder / name).iterdir() if p.is_file() and not p.name.startswith("."))
            if not own:
                raise DataError(f"{folder / name} holds no images")
            files += [f"{name}/{file}" for file in own]
            labels += [label] * len(own)
        return Listing(folder, tuple(files), tuple(labels), tuple(map(printable, files)))
