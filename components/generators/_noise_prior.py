"""A class-conditional DiT that predicts noise, as a prior: its denoising loss, and the noise it starts from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from diffusers import DDIMScheduler, DDPMScheduler, DiTTransformer2DModel
from torch import Tensor


def to_bytes(images: Tensor) -> Tensor:
    """Images in [0, 1] to the nearest uint8 images."""
    return (images * 255).round().to(torch.uint8)


@dataclass(frozen=True)
class NoisePrior(ABC):
    """A network that predicts the noise, with the schedule it was trained on."""

    network: DiTTransformer2DModel
    scheduler: DDIMScheduler | DDPMScheduler

    @property
    def no_class(self) -> int:
        """The label that stands for none."""
        return int(self.network.config.num_embeds_ada_norm)

    @property
    def timesteps(self) -> int:
        """Timesteps of the schedule."""
        return int(self.scheduler.config.num_train_timesteps)

    @abstractmethod
    def decode(self, latents: Tensor) -> Tensor:
        """Latents to images in [0, 1], float ``[n, 3, H, W]``; differentiable."""

    @abstractmethod
    def predict(self, noisy: Tensor, t: Tensor, class_index: Tensor) -> Tensor:
        """The noise in ``noisy [n, C, H, W]`` at timesteps ``t [n]``, given the classes ``[n]``."""

    def loss(self, latents: Tensor, t: Tensor, noise: Tensor, class_index: Tensor) -> Tensor:
        """Mean squared error of the predicted noise, ``[n]``, for each latent at its timestep under its noise."""
        noise = noise.float()
        noisy = self.scheduler.add_noise(latents.float(), noise, t)
        return (self.predict(noisy, t, class_index) - noise).square().flatten(1).mean(1)

    def noise(self, generators: Sequence[torch.Generator]) -> Tensor:
        """Standard normal latents, one from each CPU generator, on the network's device."""
        config = self.network.config
        shape = (config.in_channels, config.sample_size, config.sample_size)
        return torch.stack([torch.randn(shape, generator=g) for g in generators]).to(self.network.device)
