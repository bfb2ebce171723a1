"""Training of a DDPM from scratch. A stopped training can be resumed."""

from __future__ import annotations

import json
import math
from pathlib import Path

import torch
from diffusers import DDPMScheduler, UNet2DModel
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ddbench import ComponentError, Context, TrainingData
from ddbench.toolkit import Checkpoint, enough_memory

from ..._warmup_cosine import share_of_peak
from .._curve import Curve
from .batches import Part, draw_batch, held_out_loss, split
from .params import DdpmParams
from .prior import DdpmPrior

TIMESTEPS = 1000
WARMUP_STEPS = 100
GRADIENT_NORM = 1.0


def train(data: TrainingData, params: DdpmParams, out_dir: Path, ctx: Context) -> None:
    """Train on all images but the held-out ones; write model, scheduler and ``training.json``."""
    prior = DdpmPrior(_network(data, params, ctx), _scheduler(params))
    fitted, held_out = split(data, ctx)
    before = held_out_loss(prior, held_out, "before", ctx)
    with enough_memory("a step of training generator 'ddpm'", "batch", params.batch):
        network, curve = _optimise(prior, fitted, params, ctx)
    averaged = DdpmPrior(network, prior.scheduler)
    after = held_out_loss(averaged, held_out, "after", ctx)
    averaged.save(out_dir)
    report = {
        "held_out_images": len(held_out.labels),
        "held_out_loss": {"before": before, "after": after},
        "training_loss": curve.points(),
    }
    (out_dir / "training.json").write_text(json.dumps(report, indent=1), encoding="utf-8")


def _scheduler(params: DdpmParams) -> DDPMScheduler:
    """Return the schedule. Predicted images are clipped, since latents are pixels; "trailing" starts at pure noise."""
    return DDPMScheduler(
        num_train_timesteps=TIMESTEPS,
        beta_start=1e-4,
        beta_end=0.02,
        beta_schedule=params.beta_schedule,
        prediction_type=params.prediction_type,
        clip_sample=True,
        timestep_spacing="trailing",
    )


def _network(data: TrainingData, params: DdpmParams, ctx: Context) -> UNet2DModel:
    """Return an untrained network. Its last convolution is zero, as in the authors' code, so it predicts 0."""
    attending = [level in params.attention_levels for level in range(len(params.block_out_channels))]
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(ctx.torch_rng("weights").get_state())
        network = UNet2DModel(
            sample_size=data.image_size,
            down_block_types=tuple("AttnDownBlock2D" if a else "DownBlock2D" for a in attending),
            up_block_types=tuple("AttnUpBlock2D" if a else "UpBlock2D" for a in reversed(attending)),
            block_out_channels=params.block_out_channels,
            layers_per_block=params.layers_per_block,
            norm_num_groups=_groups(params.block_out_channels),
            class_embed_type=None if params.class_embedding == "table" else params.class_embedding,
            num_class_embeds=len(data.classes) + (params.label_dropout > 0),
        )
    nn.init.zeros_(network.conv_out.weight)
    nn.init.zeros_(network.conv_out.bias)
    return network.to(ctx.device).eval()


def _groups(channels: tuple[int, ...]) -> int:
    """Return 32 groups, as in the paper, or fewer. A group of one channel would normalise embeddings away."""
    return next(groups for groups in (32, 16, 8) if min(channels) >= 4 * groups)


def _optimise(prior: DdpmPrior, fitted: Part, params: DdpmParams, ctx: Context) -> tuple[UNet2DModel, Curve]:
    """Train in place; return a network with the averaged weights, and the training loss."""
    average = AveragedModel(prior.network, multi_avg_fn=get_ema_multi_avg_fn(params.ema))  # type: ignore[no-untyped-call]
    optimiser = torch.optim.Adam(prior.network.parameters(), lr=params.learning_rate, fused=True)
    both, curve = nn.ModuleList([prior.network, average]), Curve(params.steps)
    checkpoint = Checkpoint.of(ctx, params.checkpoint_seconds, curve.notes, curve.recall)
    done, _ = checkpoint.restore(both, optimiser)
    for step in range(done, params.steps):
        rng = ctx.torch_rng("step", step)
        loss = prior.loss(*draw_batch(fitted, prior, params.batch, params.label_dropout, rng)).mean()
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(prior.network.parameters(), GRADIENT_NORM)
        optimiser.param_groups[0]["lr"] = params.learning_rate * share_of_peak(step, params.steps, WARMUP_STEPS)
        optimiser.step()
        average.update_parameters(prior.network)
        if not math.isfinite(loss.item()):
            raise ComponentError(
                f"the loss of the DDPM is {loss.item()} in step {step + 1} of {params.steps}",
                hint="lower the parameter 'learning_rate'",
            )
        curve.add(step, loss.item())
        checkpoint.offer(step + 1, loss.item(), both, optimiser)
        ctx.progress(step + 1, params.steps)
    return average.module, curve
