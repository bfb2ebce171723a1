"""How long a student's epoch takes: ConvNet-3, 100 real images at 32 px, the whole augmentation, one thread."""

from __future__ import annotations

from typing import Any, cast

import pytest

import ddbench
from ddbench import Context, Dataset, Student
from ddbench.registry import catalogue


@pytest.mark.parametrize("numerics", ["reference", "bf16"])
def test_epoch_of_100_images(benchmark: Any, numerics: str) -> None:
    import torch

    from ddbench.train.images import ResidentImages
    from ddbench.train.trainer import Trained, train

    torch.set_num_threads(1)
    data = cast("Dataset", ddbench.create("dataset", "tiny-cifar"))
    student = cast("Student", ddbench.create("student", "convnet3"))
    real = data.train()
    images = ResidentImages.put(
        real.images[::10], real.labels[::10], size=32, mean=data.mean, std=data.std, device="cpu"
    )
    minimax = catalogue().protocol("minimax-hard@1")

    def epoch() -> Trained:
        return train(lambda: student.build(10, 32), images, minimax, 1, Context(numerics=numerics))

    trained = benchmark.pedantic(epoch, rounds=3, warmup_rounds=1)
    benchmark.extra_info["images_per_second"] = round(100 / benchmark.stats["min"], 1) if benchmark.stats else None
    assert trained.steps == 2
