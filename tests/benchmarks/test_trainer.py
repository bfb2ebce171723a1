"""Time of a student's epoch: ConvNet-3, 100 real images at 32 px, one thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import pytest

import ddbench
from ddbench import Dataset, Student
from ddbench.registry import catalogue
from tests.benchmarks.alternating import minima
from tests.contexts import context

if TYPE_CHECKING:
    from ddbench.train.trainer import Trained

# Network and optimiser take the time: what a protocol does to images and labels adds at most this share to it.
MOST_ON_TOP = 0.25


def epoch_of(protocol_id: str, numerics: str = "reference", **changes: Any) -> Callable[[], Trained]:
    """One epoch under a protocol on 100 images with soft labels; the teacher of a dynamic protocol costs nothing."""
    import torch

    from ddbench.train.images import ResidentImages
    from ddbench.train.trainer import train

    torch.set_num_threads(1)
    data = cast("Dataset", ddbench.create("dataset", "tiny-cifar"))
    student = cast("Student", ddbench.create("student", "convnet3"))
    real = data.train()
    images = ResidentImages.put(
        real.images[::10],
        real.labels[::10],
        size=32,
        mean=data.mean,
        std=data.std,
        device="cpu",
        soft=torch.randn(100, 10, generator=torch.Generator().manual_seed(0)),
    )
    protocol = catalogue().protocol(protocol_id).model_copy(update=changes)

    def teacher(x: torch.Tensor) -> torch.Tensor:
        return x.new_zeros(len(x), 10)

    return lambda: train(lambda: student.build(10, 32), images, protocol, 1, context(numerics), teacher=teacher)


@pytest.mark.parametrize("numerics", ["reference", "fast"])
def test_epoch_of_100_images(benchmark: Any, numerics: str) -> None:
    trained = benchmark.pedantic(epoch_of("minimax-hard@1", numerics), rounds=3, warmup_rounds=1)
    benchmark.extra_info["images_per_second"] = round(100 / benchmark.stats["min"], 1) if benchmark.stats else None
    assert trained.steps == 2


@pytest.mark.parametrize("protocol_id", ["minimax-hard@1", "psr-kd@1", "rded-kd@1", "dc-cifar@1", "idc-cifar@1"])
def test_what_is_done_to_images_and_labels_is_little_beside_the_training(benchmark: Any, protocol_id: str) -> None:
    from ddbench.protocol.augmentation import Augmentation

    bare = epoch_of(protocol_id, augmentation=Augmentation(), distillation=None)
    whole = epoch_of(protocol_id)
    seconds = minima(whole=whole, bare=bare)
    benchmark.extra_info |= {name: round(value, 4) for name, value in seconds.items()}
    benchmark.pedantic(whole, rounds=1)
    assert seconds["whole"] / seconds["bare"] < 1 + MOST_ON_TOP
