"""The steps from real images to a pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DiTPipeline, DiTTransformer2DModel
from safetensors.torch import load_file, save
from torch import Tensor, nn

from ddbench import ComponentError, Context, Dataset
from ddbench.toolkit import environment, write_whole

from ..._pixels import to_latents
from ...generators._dit.prior import LatentDitPrior
from ...generators._dit.real_latents import RealLatents
from .recipe import Recipe
from .transformer import scheduler

RECIPE_FILE: Final = "recipe.json"
TIMES: Final = "seconds.json"
_WEIGHTS: Final = "diffusion_pytorch_model.safetensors"


@dataclass(frozen=True)
class Making:
    """The training of a pipeline in a folder. It takes hours on a CPU and can be resumed.

    Raise ComponentError if the folder contains parts of another recipe or seed.

    Attributes:
        recipe: the recipe.
        dataset: the training images.
        folder: the results of the steps, which are reused; the final result is ``pipeline``.
        ctx: seed, device and threads.
    """

    recipe: Recipe
    dataset: Dataset
    folder: Path
    ctx: Context

    def __post_init__(self) -> None:
        path, about = self.folder / RECIPE_FILE, {"seed": self.ctx.seed, **asdict(self.recipe)}
        own = json.dumps(about, indent=1) + "\n"
        if not path.exists():
            write_whole(path, own.encode())
        elif path.read_text(encoding="utf-8") != own:
            raise ComponentError("belongs to another recipe", where=str(path), hint="use an empty folder")

    def pipeline(self) -> Path:
        """Return the path of the pipeline, saved by diffusers in half precision."""
        path = self.folder / "pipeline"
        if not path.exists():
            vae, transformer = self.autoencoder(), self.transformer()
            names = {i: c.name for i, c in enumerate(self.dataset.classes)}
            noise = DDIMScheduler.from_config(scheduler().config, timestep_spacing="trailing")
            pipeline = DiTPipeline(transformer.half(), vae.half(), noise)
            # diffusers reads class names from here but does not write them.
            pipeline.register_to_config(id2label=names)
            _save_atomically(path, pipeline.save_pretrained)
        return path

    def judge(self) -> nn.Module:
        """Return the classifier that judges samples."""
        return self.recipe.judge.get(self.dataset, self.folder / "judge.safetensors", self.ctx.with_seed(1))

    def autoencoder(self) -> AutoencoderKL:
        """Return the autoencoder, scaled so that latents have a standard deviation of 1."""
        path = self.folder / "vae"
        if not path.exists():
            classifier = self.recipe.teacher.get(self.dataset, self.folder / "teacher.safetensors", self.ctx)
            images = self.dataset.train().images
            vae, seconds = self.recipe.autoencoder.train(images, classifier, self._within("autoencoder"))
            vae.register_to_config(scaling_factor=1 / _deviation(vae, images))
            self._note("autoencoder", seconds)
            _save_atomically(path, vae.save_pretrained)
        return AutoencoderKL.from_pretrained(path).to(self.ctx.device).eval().requires_grad_(False)

    def transformer(self) -> DiTTransformer2DModel:
        """Return the transformer of the autoencoder's latents."""
        path = self.folder / "transformer"
        if not path.exists():
            vae, ctx = self.autoencoder(), self._within("transformer")
            side = self.dataset.image_size >> (len(vae.config.block_out_channels) - 1)
            prior = self.recipe.transformer.prior(vae, side, len(self.dataset.classes), ctx)
            seconds = self.recipe.transformer.train(prior, self._latents(prior), ctx)
            self._note("transformer", seconds)
            _save_atomically(path, prior.network.save_pretrained)
        return DiTTransformer2DModel.from_pretrained(path)

    @cached_property
    def seconds(self) -> dict[str, float]:
        """Return the seconds of each finished step."""
        path = self.folder / TIMES
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}

    def _note(self, step: str, seconds: float) -> None:
        self.seconds[step] = round(seconds)
        write_whole(self.folder / TIMES, json.dumps(self.seconds).encode() + b"\n")

    def _latents(self, prior: LatentDitPrior) -> RealLatents:
        """Return the autoencoder's latents of the training images."""
        path = self.folder / "latents.safetensors"
        if not path.exists():
            made = RealLatents.of(self.dataset.training(), prior)
            write_whole(path, save({"mean": made.mean, "deviation": made.deviation, "labels": made.labels}))
        return RealLatents(**load_file(path, device=self.ctx.device))

    def _within(self, step: str) -> Context:
        return replace(self.ctx, checkpoint_file=self.folder / f"{step}.unfinished")


def _save_atomically(path: Path, save_pretrained: Callable[[Path], Any]) -> None:
    """Save under a temporary name and rename the folder at the end, so it is complete if it exists."""
    part = path.with_name(f"{path.name}.part")
    save_pretrained(part)
    part.rename(path)


@torch.no_grad()
def _deviation(vae: AutoencoderKL, images: Tensor, count: int = 2000) -> float:
    few = to_latents(images[:: max(1, len(images) // count)].to(vae.device))
    return float(torch.cat([vae.encode(batch).latent_dist.mean for batch in torch.split(few, 100)]).std())


def describe(making: Making, figures: dict[str, Any]) -> dict[str, Any]:
    """Return the data of the model card: recipe, environment, sizes and measurements."""
    pipeline, ctx = making.pipeline(), making.ctx
    kept = {part: load_file(pipeline / part / _WEIGHTS) for part in ("transformer", "vae")}
    config = json.loads((pipeline / "transformer" / "config.json").read_text(encoding="utf-8"))
    return {
        "recipe": asdict(making.recipe),
        "seed": ctx.seed,
        "environment": environment(ctx.device, ctx.threads),
        "seconds": making.seconds,
        "classes": [c.name for c in making.dataset.classes],
        "latent": [config["in_channels"], config["sample_size"], config["sample_size"]],
        "weights": {part: sum(value.numel() for value in values.values()) for part, values in kept.items()},
        "bytes": sum((pipeline / part / _WEIGHTS).stat().st_size for part in kept),
        "figures": figures,
    }
