"""A DiT on the latents of a VAE: reading it, its denoising loss, its samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from diffusers import AutoencoderKL, DDIMScheduler, DDPMScheduler, DiTTransformer2DModel
from torch import Tensor

from ddbench import ComponentError

from .._weights import loading
from ._dit_prior import NoisePrior
from ._dit_xl2_files import weights

if TYPE_CHECKING:
    from .dit_xl2 import DitXl2

_DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True)
class LatentDitPrior(NoisePrior):
    """A DiT, and the VAE whose latents it was trained on.

    Latents are as the transformer sees them: what the VAE encodes, times ``scaling_factor`` of its configuration.

    Attributes:
        labels: ``[C]`` the transformer's label of each class of the data set.
    """

    vae: AutoencoderKL
    labels: Tensor

    @classmethod
    def from_folders(
        cls, folders: dict[str, Path], labels: Sequence[int], precision: str, device: str
    ) -> LatentDitPrior:
        """Read the parts ``transformer``, ``vae`` and ``scheduler`` from their folders, with frozen weights.

        The VAE is float32 whatever the precision: bfloat16 tells fewer grey levels apart than an image has.
        """
        with loading(folders["scheduler"], "a scheduler"):
            # Latents are not bounded, so what is denoised is not clipped.
            scheduler = DDPMScheduler.from_config(DDPMScheduler.load_config(folders["scheduler"]), clip_sample=False)
        network = _read(DiTTransformer2DModel, folders["transformer"], _DTYPES[precision]).to(device)
        vae = _read(AutoencoderKL, folders["vae"], torch.float32).to(device)
        return cls(network, scheduler, vae, torch.tensor(labels, device=device))

    @property
    def has_variance(self) -> bool:
        """Whether the transformer predicts, beside the noise, the variance of its steps."""
        return bool(self.network.config.out_channels == 2 * self.network.config.in_channels)

    def decode(self, latents: Tensor) -> Tensor:
        """Latents of any precision to images in [0, 1], float32 ``[n, 3, H, W]``; differentiable."""
        decoded: Tensor = self.vae.decode(latents.float() / self.vae.config.scaling_factor).sample
        return (decoded / 2 + 0.5).clamp(0, 1)

    def predict(self, noisy: Tensor, t: Tensor, class_index: Tensor) -> Tensor:
        """The noise in ``noisy [n, C, H, W]`` at timesteps ``t [n]``, given classes of the data set ``[n]``."""
        return self._output(noisy, t, self.labels[class_index])[:, : noisy.shape[1]]

    def _output(self, noisy: Tensor, t: Tensor, labels: Tensor) -> Tensor:
        """What the transformer says, ``[n, 2C, H, W]``: the noise, then where the variance is in its range."""
        output: Tensor = self.network(noisy.to(self.network.dtype), timestep=t, class_labels=labels).sample
        return output.float()

    def guided(self, noisy: Tensor, t: Tensor, class_index: int, params: DitXl2.Params) -> Tensor:
        """What is followed at timestep ``t``: guided noise in the guided channels, all else as the class has it."""
        count = len(noisy)
        labels = self.labels[class_index].expand(count)
        if params.guidance == 1:
            return self._output(noisy, t.expand(count), labels)
        labels = torch.cat([labels, torch.full_like(labels, self.no_class)])
        outputs = self._output(torch.cat([noisy, noisy]), t.expand(2 * count), labels)
        with_class, without = outputs.chunk(2)
        end = noisy.shape[1] if params.guided_channels == "all" else params.guided_channels
        followed = without + params.guidance * (with_class - without)
        return torch.cat([followed[:, :end], with_class[:, end:]], dim=1)

    @torch.no_grad()
    def sample(self, generators: Sequence[torch.Generator], class_index: int, params: DitXl2.Params) -> Tensor:
        """Latents of a class, float32 ``[n, C, H, W]``; all noise of each is drawn from its own CPU generator."""
        latents = self.noise(generators)
        scheduler, ddpm = self._scheduler(params), params.scheduler == "ddpm"
        for t in scheduler.timesteps:
            output = self.guided(latents, t.to(latents.device), class_index, params)
            if ddpm:
                latents = scheduler.step(output, t, latents, generator=list(generators)).prev_sample
            else:
                latents = scheduler.step(output[:, : latents.shape[1]], t, latents).prev_sample
        return latents

    def _scheduler(self, params: DitXl2.Params) -> Any:
        """A scheduler for one sampling: its state is no one else's."""
        if params.scheduler == "ddpm":
            scheduler = DDPMScheduler.from_config(
                self.scheduler.config, variance_type="learned_range", timestep_spacing="linspace"
            )
        else:
            scheduler = DDIMScheduler.from_config(self.scheduler.config)
        scheduler.set_timesteps(params.sampling_steps)
        return scheduler


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
