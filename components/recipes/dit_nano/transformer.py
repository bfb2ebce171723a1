"""The transformer, trained like DiT on the latents of the autoencoder."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from diffusers import AutoencoderKL, DDPMScheduler, DiTTransformer2DModel
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ddbench import Context

from ...generators._dit.prior import LatentDitPrior
from ...generators._dit.real_latents import RealLatents
from .learning import Course, learn


def scheduler() -> DDPMScheduler:
    """Return DiT's noise schedule."""
    return DDPMScheduler(beta_start=1e-4, beta_end=0.02, beta_schedule="linear", clip_sample=False)


@dataclass(frozen=True)
class Transformer:
    """A transformer and its training to predict the noise.

    Attributes:
        course: its training.
        layers: number of layers.
        heads: number of attention heads.
        head_channels: channels of each head.
        patch: side of a patch of latents.
        label_dropout: share of training images without a label.
        bound: upper bound of the signal-to-noise ratio that weights errors (arXiv:2303.09556).
        compile: whether to compile it, which saves a quarter of a long training.
    """

    course: Course
    layers: int
    heads: int
    head_channels: int
    patch: int
    label_dropout: float
    bound: float
    compile: bool

    def prior(self, vae: AutoencoderKL, latent_size: int, classes: int, ctx: Context) -> LatentDitPrior:
        """Return an untrained transformer that predicts zero: modulations and output start at zero, as in DiT."""
        channels = vae.config.latent_channels
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(ctx.torch_rng("weights").get_state())
            network = DiTTransformer2DModel(
                num_attention_heads=self.heads,
                attention_head_dim=self.head_channels,
                num_layers=self.layers,
                in_channels=channels,
                out_channels=channels,
                sample_size=latent_size,
                patch_size=self.patch,
                num_embeds_ada_norm=classes,
            )
        for layer in (*(b.norm1.linear for b in network.transformer_blocks), network.proj_out_1, network.proj_out_2):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        labels = torch.arange(classes, device=ctx.device)
        return LatentDitPrior(network.to(ctx.device).eval(), scheduler(), vae, labels)

    def train(self, prior: LatentDitPrior, latents: RealLatents, ctx: Context) -> float:
        """Train the prior's transformer in place and return the seconds."""
        if self.compile:
            prior.network.compile()
        return learn(prior.network, self.course, lambda rng: self._loss(prior, latents, rng), ctx)

    def _loss(self, prior: LatentDitPrior, latents: RealLatents, rng: torch.Generator) -> Tensor:
        count, device = self.course.batch, prior.network.device
        chosen = torch.randint(len(latents), (count,), generator=rng).to(device)
        mirrored, dropped = torch.rand(2, count, generator=rng).to(device)
        t = torch.randint(prior.timesteps, (count,), generator=rng).to(device)
        off, noise = torch.randn(2, count, *latents.mean.shape[2:], generator=rng).to(device)
        noisy = prior.scheduler.add_noise(latents.draw(chosen, mirrored < 0.5, off), noise, t)
        labels = latents.labels[chosen].masked_fill(dropped < self.label_dropout, prior.no_class)
        with torch.autocast(device.type, torch.bfloat16), _attention(device):
            predicted = prior.output(noisy, t, labels)
        kept = prior.scheduler.alphas_cumprod.to(device)[t]
        counts = ((1 - kept) / kept * self.bound).clamp(max=1)
        errors = (predicted - noise).square().flatten(1).mean(1)
        return torch.mean(counts * errors)


def _attention(device: torch.device) -> AbstractContextManager[None]:
    """Use two matrix products on CPUs. For few tokens, the gradient of torch's fused kernel is three times slower."""
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()
