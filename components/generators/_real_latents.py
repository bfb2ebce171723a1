"""The latents of a data set's training images, encoded once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from ddbench import TrainingData
from ddbench.store.files import write_whole

from .._memory import enough_memory, in_pieces
from ._latent_dit import check_latents
from ._latent_prior import LatentDitPrior

# Images and mirror images that are encoded together while there is memory for so many. An encoder may add in another
# order where there are fewer: latents then differ by rounding, most of which half precision hides.
_TOGETHER = 20


@dataclass(frozen=True)
class RealLatents:
    """Means and deviations of what the VAE encodes, half precision ``[2, N, C, H, W]``: each image, and mirrored.

    ``[1, N, C, H, W]`` where no image is mirrored.

    Attributes:
        labels: classes of the data set, ``[N]``.
    """

    mean: Tensor
    deviation: Tensor
    labels: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, data: TrainingData, prior: LatentDitPrior, *, mirrored: bool = True) -> RealLatents:
        """Encode the training images.

        Raises:
            ComponentError: they are not as large as those that the prior makes, or there is no memory for one of them.
        """
        device, size = prior.network.device, int(prior.network.config.sample_size)
        views = 1 + mirrored

        def encode(span: slice) -> Tensor:
            images = data.train.images[span].to(device).float() / 255
            told = torch.stack(prior.encode(torch.cat([images, images.flip(-1)][:views])))
            check_latents(data.image_size, told.shape[-1], size)
            return told.reshape(2, views, len(images), *told.shape[2:]).half()

        one = f"encoding an image of {data.image_size} px{' and its mirror image' if mirrored else ''}"
        encoded = in_pieces(one, len(data.train), _TOGETHER // views, encode)
        with enough_memory(f"the latents of {len(data.train):,} images"):
            mean, deviation = torch.cat(encoded, dim=2)
        return cls(mean, deviation, data.train.labels.to(device))

    @classmethod
    def kept(cls, path: Path | None, data: TrainingData, prior: LatentDitPrior) -> RealLatents:
        """Those that work which was stopped has left in a file; else they are encoded, and left there."""
        if path is None:
            return cls.of(data, prior)
        with suppress(OSError, SafetensorError, TypeError):
            found = cls(**load_file(path, device=str(prior.network.device)))
            if len(found) == len(data.train):
                return found
        made = cls.of(data, prior)
        write_whole(path, save({name: value.contiguous() for name, value in vars(made).items()}))
        return made

    def __len__(self) -> int:
        return len(self.labels)

    def draw(self, chosen: Tensor, mirrored: Tensor, noise: Tensor) -> Tensor:
        """Latents of the images ``chosen [n]``, float32 ``[n, C, H, W]``, off their means by so many deviations."""
        which = mirrored.long()
        return self.mean[which, chosen].float() + self.deviation[which, chosen].float() * noise
