"""A small DDPM and its files."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, cast

import torch
from ddbench_components.generators._ddpm.prior import DdpmPrior
from ddbench_components.generators.ddpm import Ddpm
from diffusers import DDPMScheduler, UNet2DModel

import ddbench
from ddbench import Context, Samples, TrainingData

SMALL: dict[str, Any] = {
    "block_out_channels": [32, 32],
    "attention_levels": [1],
    "steps": 4,
    "batch": 4,
    "label_dropout": 0.25,
    "block": 3,
    "sampling_steps": 4,
}
# β of the DDPM paper, and those that follow from the squared cosine of arXiv:2102.09672.
COSINE = [math.cos((t / 1000 + 0.008) / 1.008 * math.pi / 2) ** 2 for t in range(1001)]
BETAS = {
    "linear": torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64),
    "squaredcos_cap_v2": torch.tensor([min(1 - COSINE[t + 1] / COSINE[t], 0.999) for t in range(1000)]).double(),
}
VARIANTS = [("epsilon", "linear"), ("sample", "squaredcos_cap_v2"), ("sample", "linear")]


def generator(**params: Any) -> Ddpm:
    return cast("Ddpm", ddbench.create("generator", "ddpm", **{**SMALL, **params}))


def lively(network: UNet2DModel) -> UNet2DModel:
    """Weights far from their zero start, so that every input matters."""
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weights in network.parameters():
            if weights.ndim > 1:
                weights.copy_(torch.randn(weights.shape, generator=rng) * (2 / weights[0].numel()) ** 0.5)
    return network


def load(folder: Path, data: TrainingData, **params: Any) -> Ddpm:
    """Return a loaded generator with perturbed weights and the schedule of its parameters, not the fitted one."""
    loaded = generator(**params)
    loaded.load(folder, data, Context())
    prior = prior_of(loaded)
    lively(prior.network)
    names = ("prediction_type", "beta_schedule")
    prior.scheduler.register_to_config(**{name: getattr(loaded.params, name) for name in names})
    loaded._prior = DdpmPrior(prior.network, DDPMScheduler.from_config(prior.scheduler.config))
    return loaded


def prior_of(loaded: Ddpm) -> DdpmPrior:
    return cast("DdpmPrior", loaded.prior)


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def report_of(folder: Path) -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads((folder / "training.json").read_text()))


def assert_same(a: Samples, b: Samples) -> None:
    assert a.ids == b.ids
    assert a.images.equal(b.images)
    assert a.latents is not None
    assert b.latents is not None
    assert a.latents.equal(b.latents)
