"""A CIFAR as a data set: fetched once, checked against pinned digests, kept in a form that loads fast."""

from __future__ import annotations

import fcntl
import shutil
from pathlib import Path
from typing import ClassVar

from ddbench import DataError, Dataset, LabeledImages, Progress
from ddbench.toolkit import data_home, sync_folder, write_whole

from .._download.download import file_size
from . import common as _cifar
from .files import Digests, Release, with_ids
from .sources import get_cifar


class StoredCifar(Dataset):
    """A collection of 32 × 32 photographs that is released as one archive of records.

    It is got from what the user has put into the data folder (the official binary archive, or the folder it extracts
    to), else from elsewhere, held to the digests that its release pins, and kept decoded. Whenever it is read it is
    held to the pinned digests of the decoded arrays, or else to those that were recorded when it was decoded.

    Attributes:
        release: what it must be, and where it can be had.
    """

    image_size = _cifar.IMAGE_SIZE
    release: ClassVar[Release]

    def train(self) -> LabeledImages:
        """The training images in the official order."""
        return self._read("train")

    def validation(self) -> LabeledImages:
        """The images of the official test file, in its order."""
        return self._read("validation")

    def missing(self) -> str | None:
        """None if both splits are there with their full length, else which are not, and what to do."""
        gone = [self._path(split).name for split in self.release.batches if not self._is_long_enough(split)]
        if not gone:
            return None
        name, verb, files = self.info.name, "are" if len(gone) > 1 else "is", " and ".join(gone)
        return f"{name}: {files} {verb} missing or cut short in {self._folder}; run `ddbench fetch {name}`"

    def fetch(self, progress: Progress) -> None:
        """Get it from the first source that has it, and store it decoded; nothing is done where it is whole."""
        if self._is_whole():
            return
        try:
            self._incoming.mkdir(parents=True, exist_ok=True)
            with (self._folder / "fetch.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not self._is_whole():  # while we waited, another process may have fetched it and tidied up
                    self._incoming.mkdir(exist_ok=True)
                    self._store(get_cifar(self.release, data_home(), self._incoming, progress))
                shutil.rmtree(self._incoming, ignore_errors=True)
        except OSError as error:
            raise DataError(
                f"cannot be written: {error.strerror or error}",
                where=str(error.filename or self._folder),
                hint="make room, or set DDBENCH_DATA to another folder",
            ) from None

    @property
    def _folder(self) -> Path:
        return data_home() / self.info.name

    @property
    def _incoming(self) -> Path:
        """Where everything unfinished lies, on the disk that it is meant for."""
        return self._folder / "incoming"

    def _path(self, split: str) -> Path:
        return self._folder / f"{split}.safetensors"

    def _is_long_enough(self, split: str) -> bool:
        payload = self.release.count(split) * (3 * _cifar.IMAGE_SIZE**2 + 8)
        return file_size(self._path(split)) > payload

    def _read(self, split: str) -> LabeledImages:
        from safetensors import SafetensorError, safe_open

        problem = self.missing()
        if problem:
            raise DataError(problem)
        path = self._path(split)
        try:
            with safe_open(path, framework="pt") as file:
                images = with_ids(split, file.get_tensor("images"), file.get_tensor("labels"))
                recorded = file.metadata()
            self.release.check(split, images, Digests(**recorded) if recorded else None)
        except (SafetensorError, KeyError, TypeError, OSError, DataError) as error:
            raise DataError(
                f"is damaged: {error}", where=str(path), hint=f"`ddbench fetch {self.info.name}` makes it again"
            ) from None
        return images

    def _is_whole(self) -> bool:
        try:
            for split in self.release.batches:
                self._read(split)
        except DataError:
            return False
        return True

    def _store(self, splits: dict[str, LabeledImages]) -> None:
        from safetensors.torch import save

        for split, images in splits.items():
            ready = self._incoming / self._path(split).name
            tensors = {"images": images.images, "labels": images.labels}
            recorded = None if split in self.release.digests else Digests.of(images)._asdict()
            write_whole(ready, save(tensors, metadata=recorded))
            ready.replace(self._path(split))
        sync_folder(self._folder)
