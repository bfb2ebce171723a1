"""Training batches and held-out images of a DDPM."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ddbench import Context, TrainingData
from ddbench.toolkit import Checkpoint, KeptPart, KeptParts

from ..._pixels import to_latents
from .prior import DdpmPrior

HELD_OUT_AT_MOST = 200  # images; enough to measure a loss on
HELD_OUT_TIMESTEPS = range(50, 1000, 100)


@dataclass(frozen=True)
class Part:
    """Some of the training images, uint8 ``[n, 3, H, W]``, with their labels ``[n]``, on the device."""

    images: Tensor
    labels: Tensor


def split(data: TrainingData, ctx: Context) -> tuple[Part, Part]:
    """Return the images to train on, and the held-out images: a fixed tenth, at most 200."""
    images, labels = data.train.images.to(ctx.device), data.train.labels.to(ctx.device)
    order = torch.randperm(len(labels), generator=ctx.torch_rng("held out")).to(ctx.device)
    count = min(max(1, len(labels) // 10), HELD_OUT_AT_MOST)
    held_out, fitted = order[:count], order[count:]
    return Part(images[fitted], labels[fitted]), Part(images[held_out], labels[held_out])


def draw_batch(
    fitted: Part, prior: DdpmPrior, count: int, label_dropout: float, rng: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return random latents, half of them mirrored, with timesteps, noise, and labels, some of them dropped."""
    device = fitted.labels.device
    chosen = torch.randint(len(fitted.labels), (count,), generator=rng).to(device)
    mirrored = (torch.rand(count, generator=rng) < 0.5).to(device)
    dropped = (torch.rand(count, generator=rng) < label_dropout).to(device)
    t = torch.randint(prior.timesteps, (count,), generator=rng).to(device)
    latents = to_latents(fitted.images[chosen])
    latents = torch.where(mirrored[:, None, None, None], latents.flip(-1), latents)
    noise = torch.randn(latents.shape, generator=rng).to(device)
    return latents, t, noise, fitted.labels[chosen].masked_fill(dropped, prior.no_class)


def _loss(prior: DdpmPrior, latents: Tensor, timestep: int, noise: Tensor, labels: Tensor) -> KeptPart:
    return KeptPart({"mean": prior.loss(latents, torch.full_like(labels, timestep), noise, labels).mean()})


@torch.no_grad()
def held_out_loss(prior: DdpmPrior, held_out: Part, name: str, ctx: Context) -> float:
    """Return the mean denoising loss of the held-out images at ten timesteps; the noise is always the same.

    The loss at each timestep is kept under ``name``, in case the work is stopped.
    """
    kept = KeptParts(ctx, Checkpoint.seconds)
    rng = ctx.torch_rng("held-out noise")
    latents = to_latents(held_out.images)
    losses: list[Tensor] = []
    for timestep in HELD_OUT_TIMESTEPS:
        noise = torch.randn(latents.shape, generator=rng).to(ctx.device)
        loss = kept.get(f"held-out-{name}-{timestep}", partial(_loss, prior, latents, timestep, noise, held_out.labels))
        losses.append(loss.tensors["mean"].to(ctx.device))
    return torch.stack(losses).mean().item()
