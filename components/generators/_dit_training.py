"""Training of a small DiT from nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from diffusers import DDIMScheduler, DiTTransformer2DModel
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ddbench import ComponentError, Context, TrainingData

from ._dit_prior import SCHEDULE, DitPrior
from ._pixel_training import Part, draw_batch, held_out_loss, split

if TYPE_CHECKING:
    from .dit_nano import DitNano

HEAD_CHANNELS = 32
WARMUP_STEPS = 50
CURVE_POINTS = 50


def train(data: TrainingData, params: DitNano.Params, out_dir: Path, ctx: Context) -> None:
    """Train on nine tenths of the training images and write model, scheduler and ``training.json``."""
    prior = DitPrior(_network(data, params, ctx), DDIMScheduler(**SCHEDULE))
    fitted, held_out = split(data, ctx)
    before = held_out_loss(prior, held_out, ctx)
    network, curve = _optimise(prior, fitted, params, ctx)
    averaged = DitPrior(network, prior.scheduler)
    after = held_out_loss(averaged, held_out, ctx)
    averaged.save(out_dir)
    report = {
        "held_out_images": len(held_out.labels),
        "held_out_loss": {"before": before, "after": after},
        "training_loss": curve,
    }
    (out_dir / "training.json").write_text(json.dumps(report, indent=1), encoding="utf-8")


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
    prior: DitPrior, fitted: Part, params: DitNano.Params, ctx: Context
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
        loss = prior.loss(*draw_batch(fitted, prior, params.batch, params.label_dropout, rng)).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        rate.step()
        average.update_parameters(prior.network)
        losses.append(loss.item())
        ctx.progress(step + 1, params.steps)
    return average.module, _curve(losses)


def _curve(losses: list[float]) -> list[dict[str, Any]]:
    span = -(-len(losses) // CURVE_POINTS)
    parts = [losses[i : i + span] for i in range(0, len(losses), span)]
    return [{"step": min((i + 1) * span, len(losses)), "loss": sum(p) / len(p)} for i, p in enumerate(parts)]
