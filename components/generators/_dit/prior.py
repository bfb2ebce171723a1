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
# By how much the intervals between a timestep's frequencies are fewer than the frequencies.
_SHIFTS = {"diffusers": 1, "dit": 0}


@dataclass(frozen=True)
class LatentDitPrior:
    """A DiT, and the VAE whose latents it was trained on.

    Latents are as the transformer sees them: what the VAE encodes, times ``scaling_factor`` of its configuration.

    Attributes:
        network: predicts the noise.
        scheduler: of the noise that the network was trained on.
        labels: ``[C]`` the transformer's label of each class of the data set.
        mixed: whether float32 weights are multiplied in bfloat16, for training.
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

        The VAE is float32 whatever the precision: bfloat16 tells fewer grey levels apart than an image has.
        ``frequencies`` are those of the parameter.
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
        """The label that stands for none."""
        return int(self.network.config.num_embeds_ada_norm)

    @property
    def timesteps(self) -> int:
        """Timesteps of the schedule."""
        return int(self.scheduler.config.num_train_timesteps)

    @property
    def has_variance(self) -> bool:
        """Whether the transformer predicts, beside the noise, the variance of its steps."""
        return bool(self.network.config.out_channels == 2 * self.network.config.in_channels)

    def compile(self) -> None:
        """Compile the transformer's blocks, which are all alike, so that one compilation serves them all."""
        for block in self.network.transformer_blocks:
            block.compile()

    def encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and deviation of the latents of images in [0, 1], float32 ``[n, C, H, W]`` each."""
        encoded = self.vae.encode(images * 2 - 1).latent_dist
        scale = self.vae.config.scaling_factor
        return encoded.mean * scale, encoded.std * scale

    def decode(self, latents: Tensor) -> Tensor:
        """Latents of any precision to images in [0, 1], float32 ``[n, 3, H, W]``; differentiable."""
        decoded: Tensor = self.vae.decode(latents.float() / self.vae.config.scaling_factor).sample
        return (decoded / 2 + 0.5).clamp(0, 1)

    def predict(self, noisy: Tensor, t: Tensor, class_index: Tensor) -> Tensor:
        """The noise in ``noisy [n, C, H, W]`` at timesteps ``t [n]``, given classes of the data set ``[n]``."""
        return self.output(noisy, t, self.labels[class_index])[:, : noisy.shape[1]]

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

    def output(self, noisy: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        """What the transformer says to its own labels: the noise, then, if it does, where the variance is in its range.

        Float32 ``[n, C or 2C, H, W]``.
        """
        with torch.autocast(noisy.device.type, torch.bfloat16) if self.mixed else nullcontext():
            output: Tensor = self.network(noisy.to(self.network.dtype), timestep=t, class_labels=labels).sample
        return output.float()


def _read_scheduler(folder: Path) -> DDPMScheduler:
    """The noise that a network learnt to predict. Raises ComponentError where it learnt to predict something else."""
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
                f"is of a network that predicts '{config['prediction_type']}', not the noise ('epsilon')",
                where=str(folder),
                hint="name a pipeline that was trained to predict noise",
            )
        # Latents are not bounded, so what is denoised is not clipped.
        return DDPMScheduler.from_config(config, clip_sample=False)


def _read(kind: Any, folder: Path, dtype: torch.dtype) -> Any:
    """A network with the weights in a folder, all of them. Raises ComponentError if they are damaged or another's."""
    in_safetensors = ".safetensors" in weights(folder)[0].suffixes
    # What a network draws before its weights are read is thrown away; the global generator stays as it was.
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
