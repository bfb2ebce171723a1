"""The base of generators whose images are learnt for one IPC."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, cast

import ddbench
from ddbench import ComponentError, Context, Dataset, Generator, NetworkCost, Samples, Student, TrainingData
from ddbench.cost import COLOURS, FLOAT, Cost, Fit, Sample, Work
from ddbench.toolkit import enough_memory

from .params import LearntParams

if TYPE_CHECKING:
    from torch import Tensor

IMAGES: Final = "images.safetensors"


class LearntSet(Generator):
    """A generator whose fit learns all images of a set. They are float32, and may exceed [0, 1]."""

    finite = True
    fits_by_seed = True
    licence = "that of the data set"
    hashed_modules: ClassVar[tuple[str, ...]] = (
        *("ddbench.train.siamese", "ddbench.train.patches", "ddbench.train.images"),
        *("ddbench.train.numerics", "ddbench.train.fused"),
        *("ddbench.toolkit.checkpoint", "ddbench.toolkit.kept_parts"),
    )

    params: LearntParams
    _images: Tensor

    @property
    def from_real(self) -> bool:
        """Return True if learning starts from real images."""
        return self.params.init == "real"

    @abstractmethod
    def learn(self, data: TrainingData, out_dir: Path, ctx: Context) -> None:
        """Learn the images and write them, float32 ``[C, k, 3, S, S]``, and ``training.json``."""

    @abstractmethod
    def learning_cost(self, network: NetworkCost, classes: int) -> Cost:
        """Return the cost of the learning."""

    def for_ipc(self, ipc: int) -> Generator:
        """Return this generator, or with ``images: ipc`` the one for this IPC."""
        if self.params.images != "ipc":
            return self
        return type(self)(self.params.model_copy(update={"images": ipc}))

    @property
    def count(self) -> int:
        """Return the number of images of each class. Raise ComponentError if it depends on the IPC."""
        if self.params.images == "ipc":
            raise ComponentError(
                f"{self.label()} has `images: ipc`, and the IPC is not known",
                hint="give the parameter 'images' a number, or call for_ipc() first",
            )
        return self.params.images

    def fingerprint(self) -> Any:
        """Return the current version and parameters of the student."""
        student = self.student()
        return {"student": [student.info.version, student.params.keyed()]}

    def student(self) -> Student:
        """Return the component that builds the networks."""
        return cast("Student", ddbench.create("student", self.params.student))

    def available(self, dataset: Dataset) -> tuple[int, ...] | None:
        """Return the number of images of each class; None if it depends on the IPC."""
        return None if self.params.images == "ipc" else (self.count,) * len(dataset.classes)

    def check(self, dataset: Dataset) -> None:
        """Raise ComponentError if the student does not fit, or a class has fewer real images than are learnt."""
        self.student().check_size(dataset.image_size)
        if dataset.train_counts is not None:
            self._check_real(dataset.train_counts)

    def _check_real(self, counts: Sequence[int]) -> None:
        if self.params.images != "ipc" and self.from_real and self.params.images > min(counts):
            raise ComponentError(
                f"{self.label()} cannot start {self.params.images} images of a class from {min(counts)} real ones",
                hint="lower its parameter 'images', or set `init: noise`",
            )

    def cost(self, work: Work) -> Cost | None:
        """Return the cost of the learning; a sample costs its storage."""
        if not isinstance(work, Sample | Fit):
            return None
        size, classes = work.dataset.image_size, len(work.dataset.classes)
        stored = FLOAT * COLOURS * size**2
        if isinstance(work, Sample):
            return Cost(0, disk_bytes=stored)
        if self.params.images == "ipc":
            return None
        network = self.student().network_cost(classes, size)
        if network is None:
            return None
        return replace(self.learning_cost(network, classes), disk_bytes=stored * classes * self.count)

    def fit(self, data: TrainingData, out_dir: Path, ctx: Context) -> None:
        """Learn the images. Stopped learning resumes from ``ctx.checkpoint_file`` and ends with the same bits.

        Raises:
            ComponentError: a class has too few images, the network does not fit, memory ran out, or the loss diverged.
        """
        import torch

        self._check_real(torch.bincount(data.train.labels, minlength=len(data.classes)).tolist())
        with enough_memory(f"learning the images of {self.label()}", "real_batch", self.params.real_batch):
            self.learn(data, out_dir, ctx)

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Read the images that ``fit`` wrote."""
        from safetensors.torch import load_file

        assert fitted is not None
        self._images = load_file(fitted / IMAGES)["images"]

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        """Return the learnt images of a class."""
        ids = tuple(f"{class_index:03d}-{i:06d}" for i in range(self.count))
        return Samples(self._images[class_index], ids)
