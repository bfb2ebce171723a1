"""Real training images as a pool."""

from __future__ import annotations

from pathlib import Path

from ddbench import Context, Dataset, Generator, Samples, TrainingData, component
from ddbench.cost import COLOURS, Cost, Sample, Work


@component("generator", "real", version=1)
class Real(Generator):
    """The real training images of each class, in the data set's own order and under its own ids."""

    finite = True
    _data: TrainingData

    def available(self, dataset: Dataset) -> tuple[int, ...] | None:
        """The data set's training images per class, where it knows them without reading the data."""
        return dataset.train_counts

    def cost(self, work: Work) -> Cost | None:
        """Return the room that an image takes."""
        return Cost(flops=0, disk_bytes=COLOURS * work.dataset.image_size**2) if isinstance(work, Sample) else None

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:
        """Keep the training images."""
        self._data = data

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        """Every training image of the class."""
        train = self._data.train
        positions = (train.labels == class_index).nonzero().flatten()
        return Samples(train.images[positions], tuple(train.ids[i] for i in positions.tolist()))
