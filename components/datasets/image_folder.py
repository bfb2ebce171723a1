"""A folder of the user's images."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

import ddbench
from ddbench import ClassInfo, DataError, Progress, TrainingData, component, unkeyed
from ddbench import Params as BaseParams
from ddbench.toolkit import Survey, data_home, sha256_json

from .._digests import names_and_content, nothing, read_content
from .._image_files import refused
from .._paths import UserPath, printable
from ._imagenet.classes import imagenet_class
from ._images.label_files import LabelFile
from ._images.layouts import Divided, Layout, SplitFolders
from ._images.listing import MEAN, SPLITS, STD, ImageFiles, Listing

_Share = Annotated[float, Field(ge=0, le=1)]
_Spread = Annotated[float, Field(gt=0, le=1)]
_Part = Annotated[float, Field(gt=0, lt=1)]


@component("dataset", "image-folder", version=1)
class ImageFolder(ImageFiles):
    """A folder of your own images, with one folder per class or a CSV file of labels.

    The images are ``PATH/train/<class>/*`` and ``PATH/val/<class>/*``. The second folder may also be ``validation``,
    ``valid`` or ``test``. With ``split``, they are ``PATH/<class>/*``, and the hash of an image's content decides
    whether it is for validation. Images that are added move no others. With ``labels``, a CSV file names the images.

    Images may have any size. They are BMP, GIF, JPEG, PNG, PPM, TIFF or WebP with 8 bits per channel. The shorter side
    is resized to ``image_size``, and the centre square is kept. A rotation in the EXIF data is applied. Pictures with
    transparent pixels or several pages are refused. Hidden files and text files are ignored. Every other entry of a
    class folder must be an image.

    Classes are sorted by folder name or label, and named by it. A class named by a WordNet id of ImageNet-1k gets the
    name and label of that class. Generators and teachers for ImageNet can then use it. Images are ordered by class,
    then by file name.

    Keys depend on the content of the folder, not on its path. The parameter ``exif`` enters keys only if an image has a
    rotation. In a suite, a relative path starts at the suite's folder.
    """

    class Params(ddbench.Params):
        path: UserPath = unkeyed(description="the folder that contains train and val, or the folders of the classes")
        validation: Literal["val", "validation", "valid", "test"] | None = unkeyed(
            None, description="the folder with the validation images; by default the only one of these four"
        )
        split: _Part | None = unkeyed(
            None, description="the share of the images in validation, for images without folders of splits"
        )
        labels: UserPath | None = unkeyed(
            None, description="a CSV file with the columns file and label, and split with train or validation"
        )
        image_size: int = Field(256, ge=1, description="height and width of the stored images, in pixels")
        mean: tuple[_Share, _Share, _Share] = Field(
            MEAN, description="mean of each channel, for pixels in [0, 1]; the default is ImageNet's"
        )
        std: tuple[_Spread, _Spread, _Spread] = Field(STD, description="standard deviation of each channel")
        exif: Literal["apply", "ignore"] = unkeyed(
            "apply", description="apply the rotation in the EXIF data, or ignore it as torchvision does"
        )

        @model_validator(mode="after")
        def _one_way_to_split(self) -> Self:
            if self.validation is not None and (self.split is not None or self.labels is not None):
                raise ValueError("'validation' names a folder, which 'split' and 'labels' do not use; remove it")
            return self

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
            return tuple(imagenet_class(name) or ClassInfo(printable(name)) for name in self._layout().classes())

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

    def survey(self, progress: Progress) -> Survey:
        """Decode all pictures, and count the usable ones. The others are listed, not raised.

        Raises:
            DataError: the classes cannot be read.
        """
        from ._images.survey import survey

        problems: dict[str, None] = {}  # each once, in order
        layout = self._layout(lambda problem: problems.setdefault(str(problem)))
        with self._with_hint():
            classes, listings = layout.classes(), {split: layout.listing(split) for split in SPLITS}
        return survey(classes, listings, tuple(problems), progress)

    def _layout(self, refuse: Callable[[DataError], None] = refused) -> Layout:
        """Return the arrangement of the images that the parameters tell."""
        path, params = self.params.path, self.params
        if params.labels is not None:
            return LabelFile(path, params.labels, params.split, self._digests, refuse=refuse)
        if params.split is not None:
            return Divided(path, params.split, self._digests, refuse=refuse)
        return SplitFolders(path, params.validation, refuse=refuse)

    def _digests(self, files: Sequence[str]) -> list[str]:
        return read_content(self.params.path, files, self._own / "all.json", nothing).digests

    @property
    def _advice(self) -> str:
        folders = "store images as PATH/{train,val}/<class>/*, with the same classes in both"
        return f"{folders}, or as PATH/<class>/* with `split: 0.1`"

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
        names: Sequence[str] = listing.files
        if self.params.labels is not None:  # elsewhere the name of a file begins with its class
            classes = self._layout().classes()
            names = [json.dumps([classes[label], file]) for label, file in zip(listing.labels, names, strict=True)]
        digest = names_and_content(names, content)
        return sha256_json([digest, "upright"]) if self.upright and any(content.facts) else digest

    def _counts(self, split: str) -> tuple[int, ...]:
        labels = Counter(self._listings()[split].labels)
        return tuple(labels[label] for label in range(len(self.classes)))

    def _listing(self, split: str) -> Listing:
        layout = self._layout()
        listing = layout.listing(split)
        present = set(listing.labels)
        for label, name in enumerate(layout.classes()):
            if label not in present:
                raise layout.lacks(name, split)
        return listing


def _is_turned(path: Path) -> bool:
    from .._image_reader import is_turned  # Pillow is imported only if a file is new

    return is_turned(path)
