"""A class-conditional DiT as a prior: its denoising loss, and where latents are images, its samples."""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import DDIMScheduler, DiTTransformer2DModel
from torch import Tensor

from ._noise_prior import NoisePrior
from ._pixels import decode

# DiT's schedule; x₀ is clipped since latents are pixels; "trailing" starts at pure noise.
SCHEDULE = {
    "num_train_timesteps": 1000,
    "beta_start": 1e-4,
    "beta_end": 0.02,
    "beta_schedule": "linear",
    "clip_sample": True,
    "timestep_spacing": "trailing",
}


class DitPrior(NoisePrior):
    """A prior whose latents are the images.

    The network is in evaluation mode also while it is trained: it has no dropout but diffusers' label dropout, which
    each block draws for itself, so that some blocks would see the label and some not.
    """

    @classmethod
    def from_folder(cls, folder: Path, device: str) -> DitPrior:
        """What :meth:`save` wrote, with frozen weights."""
        network = DiTTransformer2DModel.from_pretrained(
            folder / "model", local_files_only=True, use_safetensors=True, low_cpu_mem_usage=False
        )
        scheduler = DDIMScheduler.from_pretrained(folder / "scheduler", local_files_only=True)
        return cls(network.to(device).eval().requires_grad_(False), scheduler)

    def save(self, folder: Path) -> None:
        """Write safetensors and JSON."""
        self.network.save_pretrained(folder / "model", safe_serialization=True)
        self.scheduler.save_pretrained(folder / "scheduler")

    def decode(self, latents: Tensor) -> Tensor:
        """Latents to images in [0, 1], float ``[n, 3, H, W]``; differentiable."""
        return decode(latents)

    def predict(self, noisy: Tensor, t: Tensor, class_index: Tensor) -> Tensor:
        """The noise in ``noisy [n, 3, H, W]`` at timesteps ``t [n]``, given the labels ``class_index [n]``."""
        predicted: Tensor = self.network(noisy, timestep=t, class_labels=class_index).sample
        return predicted

    @torch.no_grad()
    def sample(self, noise: Tensor, class_index: int, guidance: float, steps: int) -> Tensor:
        """Denoise ``noise [n, 3, H, W]`` to latents of a class, by DDIM with classifier-free guidance.

        The noise that is followed is ε(∅) + guidance · (ε(class) − ε(∅)), both predicted in one batch of 2n.
        """
        self.scheduler.set_timesteps(steps)
        latents, count = noise, len(noise)
        labels = torch.tensor([class_index] * count + [self.no_class] * count, device=noise.device)
        for t in self.scheduler.timesteps:
            twice = torch.cat([latents, latents])
            with_class, without = self.predict(twice, t.expand(2 * count).to(noise.device), labels).chunk(2)
            followed = without + guidance * (with_class - without)
            latents = self.scheduler.step(followed, t, latents, eta=0.0).prev_sample
        return latents
