"""Training of a small DiT from nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from diffusers import DDIMScheduler, DiTTransformer2DModel
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ddbench import ComponentError, Context, TrainingData

from ._dit_prior import SCHEDULE, DitPrior, to_latents

if TYPE_CHECKING:
    from .dit_nano import DitNano

HEAD_CHANNELS = 32
WARMUP_STEPS = 50
CURVE_POINTS = 50
HELD_OUT_AT_MOST = 200  # images; enough to measure a loss on
HELD_OUT_TIMESTEPS = range(50, 1000, 100)


def train(data: TrainingData, params: DitNano.Params, out_dir: Path, ctx: Context) -> None:
    """Train on nine tenths of the training images and write model, scheduler and ``training.json``."""
    prior = DitPrior(_network(data, params, ctx), DDIMScheduler(**SCHEDULE))
    fitted, held_out = _split(data, ctx)
    before = _held_out_loss(prior, held_out, ctx)
    network, curve = _optimise(prior, fitted, params, ctx)
    averaged = DitPrior(network, prior.scheduler)
    after = _held_out_loss(averaged, held_out, ctx)
    averaged.save(out_dir)
    report = {
        "held_out_images": len(held_out.labels),
        "held_out_loss": {"before": before, "after": after},
        "training_loss": curve,
    }
    (out_dir / "training.json").write_text(json.dumps(report, indent=1), encoding="utf-8")


@dataclass(frozen=True)
class _Part:
    images: Tensor
    labels: Tensor


def _split(data: TrainingData, ctx: Context) -> tuple[_Part, _Part]:
    """The images to train on, and a fixed tenth that is held out."""
    images, labels = data.train.images.to(ctx.device), data.train.labels.to(ctx.device)
    order = torch.randperm(len(labels), generator=ctx.torch_rng("held out"))
    count = min(max(1, len(labels) // 10), HELD_OUT_AT_MOST)
    held_out, fitted = order[:count], order[count:]
    return _Part(images[fitted], labels[fitted]), _Part(images[held_out], labels[held_out])


def _network(data: TrainingData, params: DitNano.Params, ctx: Context) -> DiTTransformer2DModel:
    """An untrained network that predicts 0: modulations and output start at zero, as the DiT paper has it."""
    if data.image_size % params.patch:
        raise ComponentError(
            f"generator 'dit-nano' cannot cut images of {data.image_size} px into patches of {params.patch} px",
            hint="set its parameter 'patch' to a divisor of the image size",
        )
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(ctx.torch_rng("weights").get_state())
        network = DiTTransformer2DModel(
            num_attention_heads=params.heads,
            attention_head_dim=HEAD_CHANNELS,
            num_layers=params.layers,
            in_channels=3,
            out_channels=3,
            sample_size=data.image_size,
            patch_size=params.patch,
            num_embeds_ada_norm=len(data.classes),
        )
    blocks = [block.norm1.linear for block in network.transformer_blocks]
    for linear in (*blocks, network.proj_out_1, network.proj_out_2):
        nn.init.zeros_(linear.weight)
        nn.init.zeros_(linear.bias)
    return network.to(ctx.device).eval()


def _optimise(
    prior: DitPrior, fitted: _Part, params: DitNano.Params, ctx: Context
) -> tuple[DiTTransformer2DModel, list[dict[str, Any]]]:
    """Train in place; return the average of the weights, and the training loss as means over equal spans of steps."""
    average = AveragedModel(prior.network, multi_avg_fn=get_ema_multi_avg_fn(params.ema))  # type: ignore[no-untyped-call]
    optimiser = torch.optim.AdamW(
        prior.network.parameters(), lr=params.learning_rate, betas=(0.9, 0.99), weight_decay=0.0, fused=True
    )
    rate = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / WARMUP_STEPS, 2 - 2 * step / params.steps)
    )
    rng = ctx.torch_rng("training")
    losses: list[float] = []
    for step in range(params.steps):
        loss = prior.loss(*_batch(fitted, prior, params, rng)).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        rate.step()
        average.update_parameters(prior.network)
        losses.append(loss.item())
        ctx.progress(step + 1, params.steps)
    return average.module, _curve(losses)


def _batch(
    fitted: _Part, prior: DitPrior, params: DitNano.Params, rng: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Random images, half of them mirrored, with timesteps, noise and labels, some labels dropped."""
    device, count = fitted.labels.device, params.batch
    chosen = torch.randint(len(fitted.labels), (count,), generator=rng).to(device)
    mirrored = (torch.rand(count, generator=rng) < 0.5).to(device)
    dropped = (torch.rand(count, generator=rng) < params.label_dropout).to(device)
    t = torch.randint(prior.scheduler.config.num_train_timesteps, (count,), generator=rng).to(device)
    latents = to_latents(fitted.images[chosen])
    latents = torch.where(mirrored[:, None, None, None], latents.flip(-1), latents)
    noise = torch.randn(latents.shape, generator=rng).to(device)
    return latents, t, noise, fitted.labels[chosen].masked_fill(dropped, prior.no_class)


@torch.no_grad()
def _held_out_loss(prior: DitPrior, held_out: _Part, ctx: Context) -> float:
    """Mean denoising loss over the held-out images at ten timesteps, under the same noise whenever it is measured."""
    rng = ctx.torch_rng("held-out noise")
    latents = to_latents(held_out.images)
    losses: list[Tensor] = []
    for timestep in HELD_OUT_TIMESTEPS:
        noise = torch.randn(latents.shape, generator=rng).to(ctx.device)
        t = torch.full_like(held_out.labels, timestep)
        losses.append(prior.loss(latents, t, noise, held_out.labels).mean())
    return torch.stack(losses).mean().item()


def _curve(losses: list[float]) -> list[dict[str, Any]]:
    span = -(-len(losses) // CURVE_POINTS)
    parts = [losses[i : i + span] for i in range(0, len(losses), span)]
    return [{"step": min((i + 1) * span, len(losses)), "loss": sum(p) / len(p)} for i, p in enumerate(parts)]
