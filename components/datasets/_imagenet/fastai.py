"""The base class of fastai's subsets of ImageNet, with ImageNet's split or with fastai's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

import ddbench
from ddbench import DataError, Progress
from ddbench import Params as BaseParams
from ddbench.toolkit import data_home

from .._download.archives import Archive, get_extracted
from .._images.listing import SPLITS, Listing
from .subset import SUFFIX, ImagenetSubset


class FastaiSubset(ImagenetSubset):
    """Ten classes of ImageNet-1k, with the split of ImageNet or of fastai's archive.

    Attributes:
        archive: fastai's archive; it holds ``train`` and ``val``, each with one folder per class.
        archive_counts: the number of images in each split of fastai's archive.
        archive_class_counts: the same per class, if known.
    """

    class Params(ddbench.Params):
        split: Literal["imagenet", "fastai"] = Field(
            "imagenet", description="the split into training and validation images: ImageNet's or fastai's"
        )

    params: Params
    archive: ClassVar[Archive]
    archive_counts: ClassVar[Mapping[str, int]]
    archive_class_counts: ClassVar[Mapping[str, tuple[int, ...]]] = {}

    def __init__(self, params: BaseParams | None = None) -> None:
        super().__init__(params)
        if self._is_fastais:
            self.train_counts = self.archive_class_counts.get("train")
            self.validation_counts = self.archive_class_counts.get("validation")

    def fetch(self, progress: Progress) -> None:
        """Decode the images. With fastai's split, download its archive first."""
        if self._is_fastais and self.missing():
            get_extracted(self.archive, data_home(), self._check, progress)
        super().fetch(progress)

    @property
    def _is_fastais(self) -> bool:
        return self.params.split == "fastai"

    @property
    def _root(self) -> Path:
        return data_home() / self.archive.folder if self._is_fastais else super()._root

    @property
    def _cache(self) -> Path:
        own = super()._cache
        return own.with_name(f"{own.name}-fastai") if self._is_fastais else own

    @property
    def _advice(self) -> str:
        if not self._is_fastais:
            return super()._advice
        return f"run `ddbench fetch {self.info.name} split=fastai`, or extract {self.archive.name} into {data_home()}"

    def _listing_in(self, root: Path, split: str) -> Listing:
        listing = super()._listing_in(root, split)
        if self._is_fastais and len(listing.files) != self.archive_counts[split]:
            raise DataError(
                f"{listing.folder} contains {len(listing.files):,} {SUFFIX} files, not {self.archive_counts[split]:,}"
            )
        return listing

    def _allowed(self, split: str) -> list[range]:
        if self._is_fastais and split not in self.archive_class_counts:
            return [range(1, self.archive_counts[split] + 1)] * len(self.classes)  # only the total is known
        return super()._allowed(split)

    def _check(self, root: Path) -> None:
        for split in SPLITS:
            self._listing_in(root, split)
