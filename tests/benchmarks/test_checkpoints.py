"""The share of the time that unfinished work takes to be kept: a student's state, and a block of images."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

import pytest

import ddbench
from ddbench import Student

# CPU time: what else the machine does is no cost of writing. `Pace` bounds the share of wall time.
pytestmark = pytest.mark.benchmark(timer=time.process_time)

# Writing may take this share of the time.
MOST = 0.02


@pytest.mark.parametrize(("student", "size"), [("convnet3", 32), ("resnetap10", 224), ("resnet18", 224)])
def test_a_students_state_every_15_seconds(benchmark: Any, tmp_path: Path, student: str, size: int) -> None:
    """After a step of SGD with momentum, for 10 classes."""
    import torch

    from ddbench.toolkit import Checkpoint
    from ddbench.toolkit.checkpoint import CHECKPOINT_SECONDS

    model = cast("Student", ddbench.create("student", student)).build(10, size)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    file = tmp_path / "state.safetensors"
    checkpoint = Checkpoint(file, seconds=0)
    benchmark.pedantic(checkpoint.offer, (1, 0.5, model, optimizer), rounds=5, warmup_rounds=1)
    if benchmark.stats:
        share = benchmark.stats["mean"] / CHECKPOINT_SECONDS
        benchmark.extra_info |= {"share": round(share, 4), "MiB": round(file.stat().st_size / 2**20, 1)}
        assert share <= MOST


def test_an_offer_that_is_not_due_costs_nothing(benchmark: Any, tmp_path: Path) -> None:
    """It comes after each step. A step of the smallest student takes a millisecond."""
    import torch

    from ddbench.toolkit import Checkpoint

    model = torch.nn.Linear(2, 2)
    checkpoint = Checkpoint(tmp_path / "state.safetensors", seconds=3600)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    benchmark(checkpoint.offer, 1, 0.5, model, optimizer)
    if benchmark.stats:
        assert benchmark.stats["median"] <= MOST * 1e-3


def test_a_block_of_images_every_second(benchmark: Any, tmp_path: Path) -> None:
    """Ten images at 256 px with their latents, as dit-xl2 makes them."""
    import torch

    from ddbench.toolkit.kept_parts import KeptPart, write_part

    part = KeptPart(
        {
            "images": torch.randint(256, (10, 3, 256, 256), dtype=torch.uint8),
            "latents": torch.randn(10, 4, 32, 32).half(),
        }
    )
    benchmark.pedantic(write_part, (tmp_path / "block.safetensors", part), rounds=5, warmup_rounds=1)
    if benchmark.stats:
        benchmark.extra_info["share"] = round(benchmark.stats["mean"], 4)
        assert benchmark.stats["mean"] <= MOST
