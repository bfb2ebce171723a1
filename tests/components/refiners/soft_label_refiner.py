"""The refiner under soft labels, with a small set and a prior for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import torch
from ddbench_components.refiners.soft_label_latent import SoftLabelLatent
from torch import Tensor

import ddbench
from ddbench import DistilledSet, Refiner, SoftLabels

PAPER = SoftLabelLatent.Params()


def refiner(**params: Any) -> Refiner:
    return cast("Refiner", ddbench.create("refiner", "soft-label-latent", **params))


@dataclass
class Recording:
    """A prior whose loss is the mean square of the latents, and which writes down what it is asked."""

    timesteps: int = 1000
    asked: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    decoded: int = 0

    def decode(self, latents: Tensor) -> Tensor:
        self.decoded += 1
        return latents

    def loss(self, latents: Tensor, t: Tensor, noise: Tensor, class_index: Tensor) -> Tensor:
        self.asked.append((t.clone(), noise.clone()))
        return latents.square().flatten(1).mean(1)


def some(count: int = 4, size: int = 4, seed: int = 0) -> DistilledSet:
    latents = torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed))
    labels = torch.arange(count) % 3
    soft = SoftLabels(torch.randn(count, 3, generator=torch.Generator().manual_seed(seed + 1)), 1.5)
    images = (latents * 255).round().to(torch.uint8)
    return DistilledSet(images, labels, tuple(f"s{i}" for i in range(count)), latents, soft, ipc=count)
