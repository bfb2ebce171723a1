"""Sampling of a DiT on the latents of a VAE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from diffusers import DDIMScheduler, DDPMScheduler
from torch import Tensor

from .params import LatentDitParams
from .prior import LatentDitPrior


@dataclass(frozen=True)
class Step:
    """One step of a sampling.

    Attributes:
        latents: after the step, ``[n, C, H, W]``.
        clean: the clean latents that the network predicted before the step, ``[n, C, H, W]``.
        deviation: the standard deviation of the step's posterior, √β̃ of the chain of the kept steps.
        left: the number of steps after this one.
    """

    latents: Tensor
    clean: Tensor
    deviation: float
    left: int


# Returns the latents that replace those after a step.
Steer: TypeAlias = Callable[[Step], Tensor]


@dataclass(frozen=True)
class Sampler:
    """Sampling of a prior's latents with the generator's parameters."""

    prior: LatentDitPrior
    params: LatentDitParams

    @torch.no_grad()
    def sample(self, generators: Sequence[torch.Generator], class_index: int, steer: Steer | None = None) -> Tensor:
        """Return latents of a class, float32 ``[n, C, H, W]``. Each draws all noise from its own CPU generator."""
        latents = self.prior.noise(generators)
        scheduler = self._scheduler()
        stochastic = self.params.scheduler == "ddpm"
        noises = {"generator": list(generators)} if stochastic else {}
        for index, t in enumerate(scheduler.timesteps):
            output = self.guided(latents, t.to(latents.device), class_index)
            if not (stochastic and self.prior.has_variance):
                output = output[:, : latents.shape[1]]
            stepped = scheduler.step(output, t, latents, **noises)
            latents = stepped.prev_sample
            if steer is not None:
                left = len(scheduler.timesteps) - index - 1
                deviation = self._deviation(scheduler.timesteps[index:].tolist())
                latents = steer(Step(latents, stepped.pred_original_sample, deviation, left))
        return latents

    def guided(self, noisy: Tensor, t: Tensor, class_index: int) -> Tensor:
        """Return the guided output at timestep ``t``.

        Only the guided channels are extrapolated. All other channels depend on the class alone.
        """
        prior, params, count = self.prior, self.params, len(noisy)
        labels = prior.labels[class_index].expand(count)
        if params.guidance == 1:
            return prior.output(noisy, t.expand(count), labels)
        labels = torch.cat([labels, torch.full_like(labels, prior.no_class)])
        outputs = prior.output(torch.cat([noisy, noisy]), t.expand(2 * count), labels)
        with_class, without = outputs.chunk(2)
        end = noisy.shape[1] if params.guided_channels == "all" else params.guided_channels
        followed = without + params.guidance * (with_class - without)
        return torch.cat([followed[:, :end], with_class[:, end:]], dim=1)

    def _deviation(self, timesteps: Sequence[int]) -> float:
        """Return √β̃ of the step from the first of these timesteps to the second, or to clean latents."""
        kept = [float(self.prior.scheduler.alphas_cumprod[t]) for t in timesteps[:2]]
        now, following = kept if len(kept) > 1 else (kept[0], 1.0)
        return float(((1 - following) / (1 - now) * (1 - now / following)) ** 0.5)

    def _scheduler(self) -> Any:
        """Return a new scheduler, since its state belongs to one sampling."""
        config = self.prior.scheduler.config
        if self.params.scheduler == "ddpm":
            variance = "learned_range" if self.prior.has_variance else "fixed_small"
            scheduler = DDPMScheduler.from_config(config, variance_type=variance, timestep_spacing="linspace")
        else:
            scheduler = DDIMScheduler.from_config(config)
        scheduler.set_timesteps(self.params.sampling_steps)
        return scheduler
