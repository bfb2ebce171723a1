"""A folder of the user's images."""

from __future__ import annotations

import hashlib
from collections import Counter
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field

import ddbench
from ddbench import ClassInfo, DataError, TrainingData, component, unkeyed
from ddbench import Params as BaseParams
from ddbench.toolkit import data_home, sha256_json

from .._digests import names_and_content, read_content
from .._image_files import SUFFIXES, class_folder_names, image_names
from .._paths import UserPath, printable
from ._imagenet.classes import imagenet_class
from ._images.listing import MEAN, SPLITS, STD, ImageFiles, Listing

_FOLDERS: Final = {"train": "train", "validation": "val"}
_Share = Annotated[float, Field(ge=0, le=1)]
_Spread = Annotated[float, Field(gt=0, le=1)]


@component("dataset", "image-folder", version=1)
class ImageFolder(ImageFiles):
    """A folder of your own images, with a training and a validation split and one folder per class.

    The images are ``PATH/train/<class>/*`` and ``PATH/val/<class>/*``, of any size: BMP, GIF, JPEG, PNG, PPM, TIFF or
    WebP with 8 bits per channel. The shorter side is resized to ``image_size``, and the centre square is kept. A
    rotation in the EXIF data is applied. Pictures with transparent pixels or several pages are refused. Hidden files
    and text files are ignored. Every other entry of a class folder must be an image.

    Classes are sorted by folder name and named by it. A folder named by a WordNet id of ImageNet-1k gets the name and
    label of that class. Generators and teachers for ImageNet can then use it. Images are ordered by class, then by file
    name.

    Keys depend on the content of the folder, not on its path. The parameter ``exif`` enters keys only if an image has a
    rotation. In a suite, a relative path starts at the suite's folder.
    """

    class Params(ddbench.Params):
        path: UserPath = unkeyed(description="the folder that contains train and val")
        image_size: int = Field(256, ge=1, description="height and width of the stored images, in pixels")
        mean: tuple[_Share, _Share, _Share] = Field(
            MEAN, description="mean of each channel, for pixels in [0, 1]; the default is ImageNet's"
        )
        std: tuple[_Spread, _Spread, _Spread] = Field(STD, description="standard deviation of each channel")
        exif: Literal["apply", "ignore"] = unkeyed(
            "apply", description="apply the rotation in the EXIF data, or ignore it as torchvision does"
        )

    params: Params
    ambiguous_order = True

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """Write the training images as PNG files to ``scratch``, a third of them for validation."""
        from PIL import Image

        for place, (image, label) in enumerate(zip(data.train.images, data.train.labels.tolist(), strict=True)):
            split = "val" if place // len(data.classes) % 3 == 0 else "train"
            path = scratch / split / data.class_names[label] / f"{data.train.ids[place]}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.permute(1, 2, 0).numpy()).save(path)
        return {"path": scratch, "image_size": data.image_size}

    def __init__(self, params: BaseParams | None = None) -> None:
        super().__init__(params)
        self.upright = self.params.exif == "apply"
        self.image_size, self.mean, self.std = self.params.image_size, self.params.mean, self.params.std

    # Other data sets declare the following attributes; here they come from the folder.

    @cached_property
    def classes(self) -> tuple[ClassInfo, ...]:  # type: ignore[override]
        """Return the classes, sorted by folder name. Raise DataError if the folder is missing or has another layout."""
        with self._with_hint():
            return tuple(imagenet_class(name) or ClassInfo(printable(name)) for name in self._class_folders())

    @cached_property
    def train_counts(self) -> tuple[int, ...]:  # type: ignore[override]
        """Return the number of training images of each class. Raise DataError as ``classes`` does."""
        return self._counts("train")

    @cached_property
    def validation_counts(self) -> tuple[int, ...]:  # type: ignore[override]
        """Return the number of validation images of each class. Raise DataError as ``classes`` does."""
        return self._counts("validation")

    def fingerprint(self) -> str:
        """Return the SHA-256 over the names and bytes of all images. Raise DataError as ``classes`` does."""
        listings = self._listings()
        with self._with_hint():
            return sha256_json({split: self._content(split, listing) for split, listing in listings.items()})

    @property
    def _advice(self) -> str:
        return "store images as PATH/{train,val}/<class>/*, with the same classes in both"

    @property
    def _own(self) -> Path:
        """Return the cache folder of this path."""
        mark = hashlib.sha256(str(self.params.path.absolute()).encode(errors="surrogateescape")).hexdigest()[:16]
        return data_home() / "cache" / self.info.name / mark

    @property
    def _cache(self) -> Path:
        return self._own / str(self.image_size)

    def _content(self, split: str, listing: Listing) -> str:
        """Return a digest of names and bytes, and of the parameter ``exif`` if it changes a pixel."""
        content = read_content(listing.folder, listing.files, self._own / f"{split}.json", _is_turned)
        digest = names_and_content(listing.files, content)
        return sha256_json([digest, "upright"]) if self.upright and any(content.facts) else digest

    def _counts(self, split: str) -> tuple[int, ...]:
        labels = Counter(self._listings()[split].labels)
        return tuple(labels[label] for label in range(len(self.classes)))

    def _class_folders(self) -> list[str]:
        """Return the names of the class folders, which both splits must share."""
        found = {split: self._folders_in(self.params.path / _FOLDERS[split]) for split in SPLITS}
        train, validation = found["train"], found["validation"]
        for name in sorted(set(train) ^ set(validation)):
            present, absent = ("train", "val") if name in train else ("val", "train")
            raise DataError(f"class '{name}' has a folder in {self.params.path / present}, but not in {absent}")
        if len(train) < 2:
            raise DataError(f"{self.params.path / 'train'} contains one class, '{train[0]}'; at least two are needed")
        return train

    def _folders_in(self, folder: Path) -> list[str]:
        if not folder.is_dir():
            raise DataError(f"the folder {folder if folder.parent.is_dir() else folder.parent} does not exist")
        names = class_folder_names(folder)
        if not names:
            raise DataError(f"{folder} contains no class folders")
        return names

    def _listing(self, split: str) -> Listing:
        folder, files, labels = self.params.path / _FOLDERS[split], list[str](), list[int]()
        for label, name in enumerate(self._class_folders()):
            own = image_names(folder / name, SUFFIXES, "a picture that ddbench reads")
            if not own:
                raise DataError(f"{folder / name} contains no images")
            files += [f"{name}/{file}" for file in own]
            labels += [label] * len(own)
        return Listing(folder, tuple(files), tuple(labels), tuple(map(printable, files)))


def _is_turned(path: Path) -> bool:
    from .._image_reader import is_turned  # Pillow is imported only if a file is new

    return is_turned(path)
