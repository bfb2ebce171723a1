"""Real training images as a pool."""

from __future__ import annotations

from pathlib import Path

from ddbench import Context, Dataset, Generator, Samples, TrainingData, component
from ddbench.cost import COLOURS, Cost, Sample, Work


@component("generator", "real", version=1)
class Real(Generator):
    """The real training images of each class, in the data set's order and with its ids."""

    finite = True
    licence = "that of the data set"
    _data: TrainingData

    def available(self, dataset: Dataset) -> tuple[int, ...] | None:
        """Return the training images per class, or None if the data set must be read to count them."""
        return dataset.train_counts

    def cost(self, work: Work) -> Cost | None:
        """Return no operations, and the disk space of an image."""
        return Cost(flops=0, disk_bytes=COLOURS * work.dataset.image_size**2) if isinstance(work, Sample) else None

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Keep the training images."""
        self._data = data

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        """Return every training image of the class."""
        train = self._data.train
        positions = (train.labels == class_index).nonzero().flatten()
        return Samples(train.images[positions], tuple(train.ids[i] for i in positions.tolist()))
