"""The generator ``real``: the data set's own training images in their own order."""

from __future__ import annotations

from typing import cast

import pytest
import torch

import ddbench
from ddbench import ComponentError, Context, Dataset, Generator


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return cast("Dataset", ddbench.create("dataset", "tiny-cifar"))


@pytest.fixture(scope="module")
def real(dataset: Dataset) -> Generator:
    generator = cast("Generator", ddbench.create("generator", "real"))
    generator.load(None, dataset.training(), Context())
    return generator


def test_all_training_images_in_their_order(dataset: Dataset, real: Generator) -> None:
    train = dataset.train()
    for c in range(10):
        samples = real.sample_block(c, 0, Context())
        own = [i for i, label in enumerate(train.labels.tolist()) if label == c]
        assert samples.ids == tuple(train.ids[i] for i in own)
        assert samples.images.equal(torch.stack([train.images[i] for i in own]))
        assert samples.latents is None
    assert real.available(dataset) == (100,) * 10


def test_a_part_of_them(real: Generator) -> None:
    everything = real.sample_block(3, 0, Context())
    part = real.sample(3, 5, 7, Context())
    assert part.ids == everything.ids[5:12]
    assert part.images.equal(everything.images[5:12])
    with pytest.raises(ComponentError, match="has 100 images of class 3, not 101"):
        real.sample(3, 95, 6, Context())
