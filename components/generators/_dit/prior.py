"""A DiT on the latents of a VAE: its files, its denoising loss, its predictions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DDPMScheduler, DiTTransformer2DModel
from diffusers.models.embeddings import Timesteps
from torch import Tensor

from ddbench import ComponentError

from ..._weights import loading
from .weights import weights

_DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16}
# diffusers' `downscale_freq_shift`: the number of frequencies minus the number of intervals between them.
_SHIFTS = {"diffusers": 1, "dit": 0}


@dataclass(frozen=True)
class LatentDitPrior:
    """A DiT, and the VAE of its latents.

    Latents are the VAE's, multiplied by ``scaling_factor`` of its configuration, as the transformer expects them.

    Attributes:
        network: the transformer, which predicts the noise.
        scheduler: the noise schedule of the transformer's training.
        vae: the VAE.
        labels: the transformer's label of each class of the data set, ``[C]``.
        mixed: true to multiply float32 weights in bfloat16, for training.
    """

    network: DiTTransformer2DModel
    scheduler: DDIMScheduler | DDPMScheduler
    vae: AutoencoderKL
    labels: Tensor
    mixed: bool = False

    @classmethod
    def from_folders(
        cls, folders: dict[str, Path], labels: Sequence[int], precision: str, frequencies: str, device: str
    ) -> LatentDitPrior:
        """Read the parts ``transformer``, ``vae`` and ``scheduler`` from their folders, with frozen weights.

        The VAE is always float32, since bfloat16 has fewer grey levels than an image.

        Args:
            folders: the folder of each part.
            labels: the transformer's label of each class of the data set.
            precision: of the transformer, ``float32`` or ``bf16``.
            frequencies: of the timestep embedding, ``diffusers`` or ``dit``.
            device: the device of all weights.
        """
        scheduler = _read_scheduler(folders["scheduler"])
        network = _read(DiTTransformer2DModel, folders["transformer"], _DTYPES[precision]).to(device)
        for module in network.modules():
            if isinstance(module, Timesteps):
                module.downscale_freq_shift = _SHIFTS[frequencies]
        vae = _read(AutoencoderKL, folders["vae"], torch.float32).to(device)
        return cls(network, scheduler, vae, torch.tensor(labels, device=device))

    @property
    def no_class(self) -> int:
        """Return the label that means no class."""
        return int(self.network.config.num_embeds_ada_norm)

    @property
    def timesteps(self) -> int:
        """Return the number of timesteps of the schedule."""
        return int(self.scheduler.config.num_train_timesteps)

    @property
    def has_variance(self) -> bool:
        """Return whether the transformer predicts the variance of its steps in addition to the noise."""
        return bool(self.network.config.out_channels == 2 * self.network.config.in_channels)

    def compile(self) -> None:
        """Compile the transformer's blocks. They are all alike, so one compilation serves them all."""
        for block in self.network.transformer_blocks:
            block.compile()

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """Return channels, height and width of the transformer's input."""
        config = self.network.config
        return int(config.in_channels), int(config.sample_size), int(config.sample_size)

    def encode(self, images: Tensor) -> Tensor:
        """Return the means of the latents of images in [0, 1], float32 ``[n, C, H, W]``."""
        return self.posterior(images)[0]

    def posterior(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and standard deviation of the latents of images in [0, 1], float32 ``[n, C, H, W]`` each."""
        encoded = self.vae.encode(images * 2 - 1).latent_dist
        scale = self.vae.config.scaling_factor
        return encoded.mean * scale, encoded.std * scale

    def decode(self, latents: Tensor) -> Tensor:
        """Decode latents of any precision to images in [0, 1], float32 ``[n, 3, H, W]``; differentiable."""
        decoded: Tensor = self.vae.decode(latents.float() / self.vae.config.scaling_factor).sample
        return (decoded / 2 + 0.5).clamp(0, 1)

    def predict(self, noisy: Tensor, t: Tensor, class_index: Tensor) -> Tensor:
        """Predict the noise in ``noisy [n, C, H, W]`` at timesteps ``t [n]``, given classes of the data set ``[n]``."""
        return self.output(noisy, t, self.labels[class_index])[:, : noisy.shape[1]]

    def loss(self, latents: Tensor, t: Tensor, noise: Tensor, class_index: Tensor) -> Tensor:
        """Return the mean squared error of the predicted noise, ``[n]``, for each latent, timestep and noise."""
        noise = noise.float()
        noisy = self.scheduler.add_noise(latents.float(), noise, t)
        return (self.predict(noisy, t, class_index) - noise).square().flatten(1).mean(1)

    def noise(self, generators: Sequence[torch.Generator]) -> Tensor:
        """Draw standard normal latents, one from each CPU generator, on the network's device."""
        noise = [torch.randn(self.latent_shape, generator=g) for g in generators]
        return torch.stack(noise).to(self.network.device)

    def output(self, noisy: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        """Return the transformer's output for its own labels, float32 ``[n, C or 2C, H, W]``.

        The first C channels are the noise. The others, if any, are the position of the variance in its range.
        """
        with torch.autocast(noisy.device.type, torch.bfloat16) if self.mixed else nullcontext():
            output: Tensor = self.network(noisy.to(self.network.dtype), timestep=t, class_labels=labels).sample
        return output.float()


def _read_scheduler(folder: Path) -> DDPMScheduler:
    """Read the noise schedule. Raise ComponentError if its network predicts anything but the noise."""
    with loading(folder, "a scheduler"):
        config = DDPMScheduler.load_config(folder)
        if not {"beta_schedule", "trained_betas"} & config.keys():
            raise ComponentError(
                f"is a {config.get('_class_name', 'scheduler')} without the betas of a diffusion",
                where=str(folder),
                hint="name a pipeline that was trained to predict noise under DDPM's or DDIM's schedule",
            )
        if config.get("prediction_type", "epsilon") != "epsilon":
            raise ComponentError(
                f"belongs to a network that predicts '{config['prediction_type']}', not the noise ('epsilon')",
                where=str(folder),
                hint="name a pipeline that was trained to predict noise",
            )
        # Latents are not bounded, so predictions are not clipped.
        return DDPMScheduler.from_config(config, clip_sample=False)


def _read(kind: Any, folder: Path, dtype: torch.dtype) -> Any:
    """Read a network and all its weights from a folder. Raise ComponentError if they are damaged or do not fit."""
    in_safetensors = ".safetensors" in weights(folder)[0].suffixes
    # The weights drawn here are overwritten; the state of the global generator is restored.
    with loading(folder, f"a {kind.__name__}"), torch.random.fork_rng(devices=[]):
        network, report = kind.from_pretrained(
            folder,
            local_files_only=True,
            use_safetensors=in_safetensors,
            low_cpu_mem_usage=False,
            torch_dtype=dtype,
            output_loading_info=True,
        )
        for what, names in (("no", report["missing_keys"]), ("unknown", report["unexpected_keys"])):
            if names:
                raise ComponentError(f"has {what} weights '{min(names)}' for a {kind.__name__}", where=str(folder))
    return network.eval().requires_grad_(False)
