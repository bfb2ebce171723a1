"""Datasets: real images in two splits, of which components see only the training one."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from ddbench.api.component import Component, Progress
from ddbench.api.data import ClassInfo, LabeledImages, TrainingData
from ddbench.errors import DataError


class Dataset(Component):
    """A labelled image collection with a training and a validation split.

    ``train`` and ``validation`` return checked images or raise DataError: a data set never yields images whose
    digest is not the pinned one.

    Attributes:
        classes: in label order.
        image_size: height and width of the images, in pixels.
        mean, std: per-channel statistics that networks normalise with, for pixels in [0, 1].
        train_counts: training images per class where that is known without the data, else None.
        validation_counts: the same of validation images.
    """

    kind: ClassVar[str] = "dataset"
    classes: tuple[ClassInfo, ...]
    image_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    train_counts: tuple[int, ...] | None = None
    validation_counts: tuple[int, ...] | None = None

    @abstractmethod
    def train(self) -> LabeledImages:
        """The training images, in the data set's own order. Raises DataError if missing or damaged."""

    @abstractmethod
    def validation(self) -> LabeledImages:
        """The validation images, in the data set's own order. Raises DataError if missing or damaged."""

    def missing(self) -> str | None:
        """None if the data is there, else what is missing and where it is looked for; cheap, no torch."""
        return None

    def fetch(self, progress: Progress) -> None:
        """Get the data, resuming what an earlier call began; by default it cannot be got.

        Raises DataError, naming every source that was tried, if no source answers.
        """
        problem = self.missing()
        if problem is not None:
            raise DataError(problem)

    def training(self) -> TrainingData:
        """The view that components get."""
        return TrainingData(self.info.name, self.classes, self.image_size, self.mean, self.std, self.train())
