"""The base class of data sets that are stored as image files."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddbench import DataError, Dataset, LabeledImages, Progress
from ddbench.toolkit import data_home

from ..._digests import names_and_content, nothing, read_content

if TYPE_CHECKING:
    from .decoded import DecodedImages

SPLITS: Final = ("train", "validation")
# The statistics of ImageNet, commonly used for photographs.
MEAN: Final = (0.485, 0.456, 0.406)
STD: Final = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Listing:
    """The images of one split, in order.

    Attributes:
        folder: the folder of the split.
        files: paths relative to ``folder``.
        labels: label of each image.
        ids: id of each image.
    """

    folder: Path
    files: tuple[str, ...]
    labels: tuple[int, ...]
    ids: tuple[str, ...]


class ImageFiles(Dataset):
    """A data set of image files.

    Each image is decoded once, as RGB. Its shorter side is resized to ``image_size`` pixels with Pillow's bilinear
    filter, and the centre square is kept, like torchvision's ``Resize`` and ``CenterCrop``. The pixels are stored in
    ``cache`` in the data folder. They are decoded again when the names or bytes of the files change.
    """

    mean = MEAN
    std = STD
    # Apply the orientation in the EXIF data. torchvision ignores it, and so do the published sets.
    upright = False

    def train(self) -> LabeledImages:
        """Return the training images."""
        return self._read("train")

    def validation(self) -> LabeledImages:
        """Return the validation images."""
        return self._read("validation")

    def missing(self) -> str | None:
        """Return None if both splits are complete, otherwise the first problem. Files are counted, not read."""
        try:
            self._listings()
        except DataError as error:
            return str(error)
        return None

    def fetch(self, progress: Progress) -> None:
        """Decode the images that are not decoded yet, so that runs need not."""
        for split, listing in self._listings().items():
            self._decoded(split, listing).read(self._named(split, progress))

    @abstractmethod
    def _listing(self, split: str) -> Listing:
        """Return the files of a split, in order. Raise DataError with a short clause if some are missing."""

    @property
    @abstractmethod
    def _advice(self) -> str:
        """Return the hint for missing files."""

    @property
    def _cache(self) -> Path:
        """Return the folder of decoded pixels."""
        return data_home() / "cache" / self.info.name

    def _content(self, split: str, listing: Listing) -> str:
        """Return a digest of the names and bytes of the files."""
        memo = data_home() / "cache" / "digests" / f"{self._cache.name}-{split}.json"
        return names_and_content(listing.files, read_content(listing.folder, listing.files, memo, nothing))

    def _listings(self) -> dict[str, Listing]:
        with self._with_hint():
            return {split: self._listing(split) for split in SPLITS}

    @contextmanager
    def _with_hint(self) -> Iterator[None]:
        """Add the name of the data set and a hint to errors."""
        try:
            yield
        except DataError as error:
            problem = DataError(error.message, where=error.where)
            raise DataError(f"{self.info.name}: {problem}", hint=error.hint or self._advice) from None
        except OSError as error:
            raise DataError(
                f"{self.info.name}: {error.filename} cannot be read: {error.strerror}", hint=self._advice
            ) from None

    def _read(self, split: str) -> LabeledImages:
        import torch

        listing = self._listings()[split]
        return LabeledImages(
            images=self._decoded(split, listing).read(), labels=torch.tensor(listing.labels), ids=listing.ids
        )

    def _decoded(self, split: str, listing: Listing) -> DecodedImages:
        from .decoded import DecodedImages

        with self._with_hint():
            content = self._content(split, listing)
        return DecodedImages(self._cache, split, listing.folder, listing.files, self.image_size, content, self.upright)

    def _named(self, split: str, progress: Progress) -> Callable[[int, int], None]:
        return lambda done, total: progress(f"{self.info.name} {split}", done, total)
