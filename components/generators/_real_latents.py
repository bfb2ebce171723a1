"""The latents of a data set's training images, encoded once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ddbench import ComponentError, TrainingData

from .._memory import enough_memory, in_pieces
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
            if told.shape[-1] != size:
                raise ComponentError(
                    f"images of {data.image_size} px have latents of {told.shape[-1]} px, and the transformer takes "
                    f"latents of {size} px",
                    hint="take a data set whose images are as large as those that the pipeline makes",
                )
            return told.reshape(2, views, len(images), *told.shape[2:]).half()

        one = f"encoding an image of {data.image_size} px{' and its mirror image' if mirrored else ''}"
        encoded = in_pieces(one, len(data.train), _TOGETHER // views, encode)
        with enough_memory(f"the latents of {len(data.train):,} images"):
            mean, deviation = torch.cat(encoded, dim=2)
        return cls(mean, deviation, data.train.labels.to(device))

    def __len__(self) -> int:
        return len(self.labels)

    def draw(self, chosen: Tensor, mirrored: Tensor, noise: Tensor) -> Tensor:
        """Latents of the images ``chosen [n]``, float32 ``[n, C, H, W]``, off their means by so many deviations."""
        which = mirrored.long()
        return self.mean[which, chosen].float() + self.deviation[which, chosen].float() * noise
