"""The effect of predicting noise on DiT's schedule instead of the velocity of straight paths, at equal training.

    python -m tests.benchmarks.objective FOLDER noise 5000       train a transformer as `dit-nano`'s was, and judge it
    python -m tests.benchmarks.objective FOLDER velocity 5000    its twin that predicts the velocity (arXiv:2403.03206)
    python -m tests.benchmarks.objective                         the kept figures, as a table

FOLDER is one that `python -m ddbench_components.recipes.dit_nano` has filled: its autoencoder, latents and judge serve.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final, cast

import torch
from ddbench_components._pixels import to_bytes
from ddbench_components.generators._dit.prior import LatentDitPrior
from ddbench_components.generators._dit.real_latents import RealLatents
from ddbench_components.generators._dit.sampler import Sampler
from ddbench_components.recipes.dit_nano.figures import Judgement, frechet
from ddbench_components.recipes.dit_nano.learning import learn
from ddbench_components.recipes.dit_nano.making import Making
from ddbench_components.recipes.dit_nano.recipe import RECIPE
from ddbench_components.recipes.dit_nano.transformer import Transformer, _attention, scheduler
from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler
from tabulate import tabulate
from torch import Tensor

import ddbench
from ddbench import Context, Dataset
from ddbench.toolkit.environment import environment
from tests.contexts import context

FILE = Path(__file__).with_name("objective.json")
GUIDANCES = (1.0, 2.0)
PER_CLASS, TOGETHER, SAMPLING_STEPS = 200, 100, 50
TIMESTEPS: Final = 1000

Train = Callable[[Transformer, LatentDitPrior, RealLatents, Context], float]


def noise(what: Transformer, prior: LatentDitPrior, latents: RealLatents, ctx: Context) -> float:
    """As ``dit-nano`` learns."""
    return what.train(prior, latents, ctx)


def velocity(what: Transformer, prior: LatentDitPrior, latents: RealLatents, ctx: Context) -> float:
    """Straight paths from latents to noise, their times logit-normal, all errors counted alike."""
    prior.network.compile()
    return learn(prior.network, what.course, lambda rng: _velocity_loss(what, prior, latents, rng), ctx)


def _velocity_loss(what: Transformer, prior: LatentDitPrior, latents: RealLatents, rng: torch.Generator) -> Tensor:
    count = what.course.batch
    chosen = torch.randint(len(latents), (count,), generator=rng)
    mirrored, dropped = torch.rand(2, count, generator=rng)
    time = torch.randn(count, generator=rng).sigmoid()
    off, noise = torch.randn(2, count, *latents.mean.shape[2:], generator=rng)
    clean, share = latents.draw(chosen, mirrored < 0.5, off), time[:, None, None, None]
    labels = latents.labels[chosen].masked_fill(dropped < what.label_dropout, prior.no_class)
    with _attention(prior.network.device):
        predicted = prior.output((1 - share) * clean + share * noise, time * TIMESTEPS, labels)
    return (predicted - (noise - clean)).square().mean()


OBJECTIVES: Final[dict[str, tuple[Train, Callable[[], Any]]]] = {
    "noise": (noise, lambda: DDIMScheduler.from_config(scheduler().config, timestep_spacing="trailing")),
    "velocity": (velocity, lambda: FlowMatchEulerDiscreteScheduler(TIMESTEPS)),
}


@torch.no_grad()
def sample(prior: LatentDitPrior, steps: Any, guidance: float, class_index: int, ctx: Context) -> Tensor:
    """``PER_CLASS`` images of a class, along what the scheduler makes of the network's predictions."""
    sampler = Sampler(prior, cast("Any", SimpleNamespace(guidance=guidance, guided_channels="all")))
    images = []
    for first in range(0, PER_CLASS, TOGETHER):
        latents = prior.noise([ctx.torch_rng("noise", class_index, first + i) for i in range(TOGETHER)])
        steps.set_timesteps(SAMPLING_STEPS)
        for t in steps.timesteps:
            latents = steps.step(sampler.guided(latents, t, class_index), t, latents).prev_sample
        images.append(to_bytes(prior.decode(latents)))
    return torch.cat(images)


def measure(folder: Path, objective: str, training_steps: int) -> dict[str, Any]:
    """Train by an objective, and ask the judge."""
    dataset = cast("Dataset", ddbench.create("dataset", "cifar10"))
    making = Making(RECIPE, dataset, folder, context("fast"))
    train, steps = OBJECTIVES[objective]
    what = RECIPE.transformer
    what = replace(what, course=replace(what.course, steps=training_steps))
    vae, classes = making.autoencoder(), len(dataset.classes)
    blank = what.prior(vae, dataset.image_size >> (len(vae.config.block_out_channels) - 1), classes, making.ctx)
    prior = replace(blank, mixed=True)
    seconds = train(what, prior, making._latents(prior), making.ctx)
    judge, real = making.judge(), dataset.validation()
    own = torch.cat([(real.labels == c).nonzero()[:PER_CLASS, 0] for c in range(classes)])
    reference = Judgement.of(real.images[own], real.labels[own], judge, making.ctx)
    labels = torch.arange(classes).repeat_interleave(PER_CLASS)
    samples = []
    for guidance in GUIDANCES:
        images = torch.cat([sample(prior, steps(), guidance, c, making.ctx) for c in range(classes)])
        found = Judgement.of(images, labels, judge, making.ctx)
        samples.append({"guidance": guidance, "agreement": found.agreement, "frechet": frechet(found, reference)})
    return {
        "objective": objective,
        "steps": training_steps,
        "batch": what.course.batch,
        "seconds": round(seconds),
        "samples_per_class": PER_CLASS,
        "samples": samples,
        "environment": environment("cpu", 1),
    }


def table(measured: dict[str, Any]) -> str:
    """Return the stored figures as Markdown."""
    rows = [
        [one["objective"], f"{one['steps']:,}", row["guidance"], row["agreement"], row["frechet"]]
        for one in measured.values()
        for row in one["samples"]
    ]
    headers = ["predicts", "steps", "guidance", "agreement, %", "distance"]
    return str(tabulate(rows, headers, tablefmt="github", floatfmt=".1f", colalign=["left"] + ["right"] * 4))


def main() -> None:
    """Measure, or show what was measured."""
    torch.set_num_threads(1)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if len(sys.argv) > 1:
        folder, objective, steps = sys.argv[1:]
        measured = measure(Path(folder), objective, int(steps))
        kept = {**_kept(), f"{objective} {steps}": measured}
        FILE.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n", encoding="utf-8")
    print(table(_kept()))


def _kept() -> dict[str, Any]:
    return dict(json.loads(FILE.read_text(encoding="utf-8"))) if FILE.exists() else {}


if __name__ == "__main__":
    main()
