"""A class-conditional DDPM on pixels: its denoising loss and its samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler, DDPMScheduler, UNet2DModel
from torch import Tensor

from ddbench import ComponentError

from ..._pixels import decode
from ..._weights import loading
from .params import DdpmParams


@dataclass(frozen=True)
class DdpmPrior:
    """A U-Net that predicts the noise or the image, with its noise schedule. Latents are the images.

    The network stays in evaluation mode during training, since it has no dropout.

    Attributes:
        network: the U-Net.
        scheduler: the noise schedule of the training.
    """

    network: UNet2DModel
    scheduler: DDPMScheduler

    @classmethod
    def from_folder(cls, folder: Path, device: str) -> DdpmPrior:
        """Read a folder that :meth:`save` or diffusers' ``DDPMPipeline`` wrote; all weights are frozen.

        Raises:
            ComponentError: a part is damaged, or belongs to another model.
        """
        with loading(folder / "scheduler", "a scheduler"):
            scheduler = DDPMScheduler.from_config(DDPMScheduler.load_config(folder / "scheduler"))
        # The weights drawn here are overwritten; the state of the global generator is restored.
        with loading(folder / "unet", "a UNet2DModel"), torch.random.fork_rng(devices=[]):
            network, report = UNet2DModel.from_pretrained(
                folder / "unet",
                local_files_only=True,
                use_safetensors=True,
                low_cpu_mem_usage=False,
                output_loading_info=True,
            )
            for what, names in (("no", report["missing_keys"]), ("unknown", report["unexpected_keys"])):
                if names:
                    raise ComponentError(f"has {what} weights '{min(names)}' for its U-Net", where=str(folder / "unet"))
        return cls(network.to(device).eval().requires_grad_(False), scheduler)

    def save(self, folder: Path) -> None:
        """Write safetensors and JSON in the layout of diffusers' ``DDPMPipeline``."""
        self.network.save_pretrained(folder / "unet", safe_serialization=True)
        self.scheduler.save_pretrained(folder / "scheduler")

    @property
    def has_table(self) -> bool:
        """Return whether the network has a learned vector for each label."""
        return isinstance(self.network.class_embedding, torch.nn.Embedding)

    def reorder(self, places: Sequence[int], classes: int) -> None:
        """Let the label of class c be the one at ``places[c]``. Labels of other classes are removed.

        Args:
            places: the present label of each class.
            classes: the present number of classes. A label more means no class, and stays the last.
        """
        table = self.network.class_embedding
        rows = table.weight[[*places, *range(classes, self.no_class + 1)]].clone()
        table.weight = torch.nn.Parameter(rows, requires_grad=False)
        self.network.register_to_config(num_class_embeds=len(rows))

    @property
    def timesteps(self) -> int:
        """Return the number of timesteps of the schedule."""
        return int(self.scheduler.config.num_train_timesteps)

    @property
    def no_class(self) -> int:
        """Return the last label, which means no class if the network has one label more than there are classes."""
        return int(self.network.config.num_class_embeds) - 1

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """Return channels, height and width of the network's input."""
        side = int(self.network.config.sample_size)
        return 3, side, side

    def encode(self, images: Tensor) -> Tensor:
        """Return the latents of images in [0, 1], float ``[n, 3, H, W]``."""
        return images * 2 - 1

    def decode(self, latents: Tensor) -> Tensor:
        """Decode latents to images in [0, 1], float ``[n, 3, H, W]``; differentiable."""
        return decode(latents)

    def predict(self, noisy: Tensor, t: Tensor, class_index: Tensor) -> Tensor:
        """Predict the noise or the image in ``noisy [n, 3, H, W]`` at timesteps ``t [n]``, given the labels ``[n]``."""
        predicted: Tensor = self.network(noisy, t, class_labels=class_index).sample
        return predicted

    def loss(self, latents: Tensor, t: Tensor, noise: Tensor, class_index: Tensor) -> Tensor:
        """Return the mean squared error of the predicted noise, ``[n]``, for each latent, timestep and noise.

        A predicted image x̂ implies the noise (xₜ − √ᾱ x̂) / √(1 − ᾱ). Its squared error is that of the image times
        ᾱ / (1 − ᾱ).
        """
        latents, noise = latents.float(), noise.float()
        predicted = self.predict(self.scheduler.add_noise(latents, noise, t), t, class_index)
        if self.scheduler.config.prediction_type == "epsilon":
            return (predicted - noise).square().flatten(1).mean(1)
        alpha_bar: Tensor = self.scheduler.alphas_cumprod.to(latents.device)[t]
        return alpha_bar / (1 - alpha_bar) * (predicted - latents).square().flatten(1).mean(1)

    def noise(self, streams: Sequence[torch.Generator]) -> Tensor:
        """Draw standard normal latents, one from each CPU generator, on the network's device."""
        return torch.stack([torch.randn(self.latent_shape, generator=g) for g in streams]).to(self.network.device)

    @torch.no_grad()
    def sample(self, streams: Sequence[torch.Generator], class_index: int, params: DdpmParams) -> Tensor:
        """Sample latents of a class, ``[n, 3, H, W]``. Each draws all its noise from its own CPU generator."""
        latents, scheduler = self.noise(streams), self._sampler(params)
        draws = {"generator": list(streams)} if params.sampler == "ddpm" else {}
        for t in scheduler.timesteps:
            predicted = self._guided(latents, t.to(latents.device), class_index, params.guidance)
            latents = scheduler.step(predicted, t, latents, **draws).prev_sample
        return latents

    def _sampler(self, params: DdpmParams) -> Any:
        """Return a new scheduler, since its state belongs to one sampling."""
        kind = DDPMScheduler if params.sampler == "ddpm" else DDIMScheduler
        scheduler = kind.from_config(self.scheduler.config)
        scheduler.set_timesteps(params.sampling_steps)
        return scheduler

    def _guided(self, noisy: Tensor, t: Tensor, class_index: int, guidance: float) -> Tensor:
        """Return the guided prediction f(∅) + guidance · (f(class) − f(∅)), computed in one batch of 2n."""
        count = len(noisy)
        labels = torch.full((count,), class_index, device=noisy.device)
        if guidance == 1:
            return self.predict(noisy, t.expand(count), labels)
        labels = torch.cat([labels, torch.full_like(labels, self.no_class)])
        with_class, without = self.predict(torch.cat([noisy, noisy]), t.expand(2 * count), labels).chunk(2)
        guided: Tensor = without + guidance * (with_class - without)
        return guided
