"""Images, protocols, models and scripted draws for tests of the trainer."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

import ddbench
from ddbench import Student
from ddbench.protocol.protocol import Protocol
from ddbench.registry import catalogue
from ddbench.train.images import ResidentImages

CUTMIX = {"probability": 1.0, "alpha": 1.0}


def random_images(count: int, size: int = 8) -> ResidentImages:
    rng = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=rng)
    return ResidentImages.put(
        pixels, torch.arange(count) % 3, size=size, mean=(0.5,) * 3, std=(0.25,) * 3, device="cpu"
    )


def protocol(**changes: Any) -> Protocol:
    plain = {
        "id": "plain@1",
        "max_input_size": 8,
        "batch_size": 4,
        "epochs_by_ipc": {"beyond": 6},
        "evaluations": 1,
        "optimizer": {"lr": 0.1, "momentum": 0.9, "weight_decay": 5e-4},
        "schedule": {"milestones": ["2/3", "5/6"], "gamma": 0.2},
        "augmentation": {},
    }
    return Protocol.model_validate({**plain, **changes})


def everything() -> Protocol:
    what = catalogue().protocol("minimax-hard@1").augmentation
    return protocol(augmentation=what.model_dump(mode="json"))


def linear() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, 3))


def convnet() -> nn.Module:
    return cast("Student", ddbench.create("student", "convnet3")).build(3, 8)


class Watching(nn.Module):
    """A linear classifier that remembers the batches it was trained on."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = linear()
        self.batches: list[Tensor] = []

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.batches.append(x.clone())
        logits: Tensor = self.linear(x)
        return logits


def still() -> dict[str, float]:
    """Return settings of an optimiser that leaves the weights almost unchanged."""
    return {"lr": 1e-30, "momentum": 0.0, "weight_decay": 0.0}


class Scripted:
    """A generator whose draws are given: lambda, the box's centre, the permutation."""

    def __init__(self, lam: float, centre: tuple[int, int], permutation: list[int]) -> None:
        self.lam, self.centre, self.order = lam, centre, permutation

    def random(self) -> float:
        return 0.999

    def beta(self, a: float, b: float) -> float:
        return self.lam

    def integers(self, high: int, size: int) -> np.ndarray:
        return np.array(self.centre)

    def permutation(self, count: int) -> np.ndarray:
        return np.array(self.order)
