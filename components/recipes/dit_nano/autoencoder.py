"""The autoencoder of the transformer's latents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import AutoencoderKL
from torch import Tensor, nn
from torch.nn import functional as F

from ddbench import Context

from ..._pixels import to_latents
from .learning import Course, learn


@dataclass(frozen=True)
class Autoencoder:
    """An autoencoder and its loss.

    Attributes:
        course: its training.
        channels: channels of its levels; each level after the first halves the image.
        latent_channels: channels of its latents.
        likeness: weight of the distance by a classifier, relative to the mean absolute difference of pixels.
        divergence: weight of the KL divergence of latents from the normal distribution, per number in an image.
        compile: whether to compile its halves, which saves a third of a long training.
    """

    course: Course
    channels: tuple[int, ...]
    latent_channels: int
    likeness: float
    divergence: float
    compile: bool

    def build(self, image_size: int) -> AutoencoderKL:
        """Return an untrained autoencoder."""
        return AutoencoderKL(
            block_out_channels=self.channels,
            down_block_types=("DownEncoderBlock2D",) * len(self.channels),
            up_block_types=("UpDecoderBlock2D",) * len(self.channels),
            layers_per_block=1,
            latent_channels=self.latent_channels,
            norm_num_groups=min(16, *self.channels),
            sample_size=image_size,
        )

    def train(self, images: Tensor, classifier: nn.Module, ctx: Context) -> tuple[AutoencoderKL, float]:
        """Train an autoencoder on uint8 images ``[N, 3, H, W]``; return it and the seconds of training."""
        with torch.random.fork_rng(devices=[]):
            torch.set_rng_state(ctx.torch_rng("weights").get_state())
            vae = self.build(images.shape[-1]).to(ctx.device, memory_format=torch.channels_last)
        for half in (vae.encoder, vae.decoder) if self.compile else ():
            half.compile()
        return vae, learn(vae, self.course, lambda rng: self._loss(vae, images, classifier, rng), ctx)

    def _loss(self, vae: AutoencoderKL, images: Tensor, classifier: nn.Module, rng: torch.Generator) -> Tensor:
        chosen = torch.randint(len(images), (self.course.batch,), generator=rng)
        mirrored = torch.rand(self.course.batch, generator=rng) < 0.5
        real = to_latents(images[chosen].to(vae.device))
        real = torch.where(mirrored.to(vae.device)[:, None, None, None], real.flip(-1), real)
        real = real.contiguous(memory_format=torch.channels_last)
        with torch.autocast(vae.device.type, torch.bfloat16):
            encoded = vae.encode(real).latent_dist
            off = torch.randn(encoded.mean.shape, generator=rng).to(vae.device)
            again = vae.decode(encoded.mean + encoded.std * off).sample
            unlike = distance(classifier, real, again)
        divergence = encoded.kl().float().mean() / real[0].numel()
        loss: Tensor = (again.float() - real).abs().mean() + self.likeness * unlike + self.divergence * divergence
        return loss


def distance(classifier: Any, one: Tensor, other: Tensor) -> Tensor:
    """Return the distance of images in [−1, 1] by LPIPS (arXiv:1801.03924) without learned weights.

    It is the sum over the classifier's pools of the mean squared difference of features, at unit length per position.
    """
    with torch.no_grad():
        fixed = _features(classifier, one)
    parts = [(a - b).float().square().sum(1).mean() for a, b in zip(fixed, _features(classifier, other), strict=True)]
    return torch.stack(parts).sum()


def _features(classifier: Any, images: Tensor) -> list[Tensor]:
    features, out = [], images
    for layer in classifier.features:
        out = layer(out)
        if isinstance(layer, nn.AvgPool2d):
            features.append(F.normalize(out, dim=1, eps=1e-4))
    return features
