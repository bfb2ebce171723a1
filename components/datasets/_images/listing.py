"""What data sets that lie on disk as image files share: they are listed, and decoded once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ddbench import DataError, Dataset, LabeledImages, Progress
from ddbench.toolkit import data_home

if TYPE_CHECKING:
    from .decoded import DecodedImages

SPLITS: Final = ("train", "validation")
# The statistics of ImageNet, which networks for photographs are commonly trained with.
MEAN: Final = (0.485, 0.456, 0.406)
STD: Final = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Listing:
    """The images of one split, in order: files relative to ``folder``, and the label and id of each."""

    folder: Path
    files: tuple[str, ...]
    labels: tuple[int, ...]
    ids: tuple[str, ...]


class ImageFiles(Dataset):
    """A data set of image files.

    Each image is decoded once. It is made RGB, Pillow's bilinear filter brings its shorter side to ``image_size``
    pixels, and the square in the middle is kept, as torchvision's ``Resize`` and ``CenterCrop`` do. The pixels are kept
    in ``cache`` in the data folder, and made again when the names or sizes of the files have changed.
    """

    mean = MEAN
    std = STD

    def train(self) -> LabeledImages:
        """The training images."""
        return self._read("train")

    def validation(self) -> LabeledImages:
        """The validation images."""
        return self._read("validation")

    def missing(self) -> str | None:
        """None if every class has its images in both splits, else the first gap. Files are counted and not read."""
        try:
            self._listings()
        except DataError as error:
            return str(error)
        return None

    def fetch(self, progress: Progress) -> None:
        """Decode what is not decoded yet, so that no run has to."""
        for split, listing in self._listings().items():
            self._decoded(split, listing).read(self._named(split, progress))

    @abstractmethod
    def _listing(self, split: str) -> Listing:
        """The files of a split, in order. Raises DataError, saying in one clause what is missing."""

    @property
    @abstractmethod
    def _advice(self) -> str:
        """What to do where files are missing."""

    @property
    def _cache(self) -> Path:
        """Where pixels are kept."""
        return data_home() / "cache" / self.info.name

    def _content(self, split: str, listing: Listing) -> str | None:
        """A digest of the files' bytes, where they are the user's own to change."""
        return None

    def _listings(self) -> dict[str, Listing]:
        with self._complaints():
            return {split: self._listing(split) for split in SPLITS}

    @contextmanager
    def _complaints(self) -> Iterator[None]:
        """Say of a problem which data set has it, and what to do."""
        try:
            yield
        except DataError as error:
            raise DataError(f"{self.info.name}: {error}", hint=self._advice) from None
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

        with self._complaints():
            content = self._content(split, listing)
        return DecodedImages(self._cache, split, listing.folder, listing.files, self.image_size, content)

    def _named(self, split: str, progress: Progress) -> Callable[[int, int], None]:
        return lambda done, total: progress(f"{self.info.name} {split}", done, total)
