"""Datasets: real images in two splits. Components see only the training split."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from ddbench.api.component import Component, Progress
from ddbench.api.data import ClassInfo, LabeledImages, TrainingData
from ddbench.errors import DataError


class Dataset(Component):
    """A labelled image collection with a training and a validation split.

    ``train`` and ``validation`` check the images against a pinned digest. They return checked images or raise
    DataError.

    Attributes:
        kind: ``dataset``.
        classes: the classes in label order.
        image_size: height and width of the images, in pixels.
        mean: mean of each channel, for pixels in [0, 1]. Networks normalise with it.
        std: standard deviation of each channel, for pixels in [0, 1]. Networks normalise with it.
        train_counts: training images per class, if they are known without the data, else None.
        validation_counts: validation images per class, if they are known without the data, else None.
        ambiguous_order: True if other programs may number the classes in another order, as for folders of images. Then
            pools and teachers from elsewhere must name their classes.
    """

    kind: ClassVar[str] = "dataset"
    classes: tuple[ClassInfo, ...]
    image_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    train_counts: tuple[int, ...] | None = None
    validation_counts: tuple[int, ...] | None = None
    ambiguous_order: bool = False

    @abstractmethod
    def train(self) -> LabeledImages:
        """Return the training images in the data set's own order. Raise DataError if they are missing or damaged."""

    @abstractmethod
    def validation(self) -> LabeledImages:
        """Return the validation images in the data set's own order. Raise DataError if they are missing or damaged."""

    def missing(self) -> str | None:
        """Return a message that names the missing data and its expected place; None if nothing is missing.

        The check must be cheap and must not import torch.
        """
        return None

    def fetch(self, progress: Progress) -> None:
        """Download the data, or resume an earlier download. The default implementation cannot download anything.

        Args:
            progress: called from time to time during a transfer.

        Raises:
            DataError: no source answers; the message names each one.
        """
        problem = self.missing()
        if problem is not None:
            raise DataError(problem)

    def training(self) -> TrainingData:
        """Return the view of the data set that components receive."""
        own = (self.info.name, self.classes, self.image_size, self.mean, self.std)
        return TrainingData(*own, self.train(), self.ambiguous_order)
