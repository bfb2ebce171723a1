"""The latents of a data set's training images, encoded once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ddbench import ComponentError, TrainingData

from ._latent_prior import LatentDitPrior

# Images that are encoded together; their mirror images with them.
_TOGETHER = 10


@dataclass(frozen=True)
class RealLatents:
    """Means and deviations of what the VAE encodes, half precision ``[2, N, C, H, W]``: each image, and mirrored.

    Attributes:
        labels: classes of the data set, ``[N]``.
    """

    mean: Tensor
    deviation: Tensor
    labels: Tensor

    @classmethod
    @torch.no_grad()
    def of(cls, data: TrainingData, prior: LatentDitPrior) -> RealLatents:
        """Encode the training images. Raises ComponentError if they are not as large as those that the prior makes."""
        device, size = prior.network.device, int(prior.network.config.sample_size)
        encoded: list[Tensor] = []
        for batch in torch.split(data.train.images, _TOGETHER):
            images = batch.to(device).float() / 255
            both = torch.stack(prior.encode(torch.cat([images, images.flip(-1)])))
            if both.shape[-1] != size:
                raise ComponentError(
                    f"images of {data.image_size} px have latents of {both.shape[-1]} px, and the transformer takes "
                    f"latents of {size} px",
                    hint="take a data set whose images are as large as those that the pipeline makes",
                )
            encoded.append(both.reshape(2, 2, len(images), *both.shape[2:]).half())
        mean, deviation = torch.cat(encoded, dim=2)
        return cls(mean, deviation, data.train.labels.to(device))

    def __len__(self) -> int:
        return len(self.labels)

    def draw(self, chosen: Tensor, mirrored: Tensor, noise: Tensor) -> Tensor:
        """Latents of the images ``chosen [n]``, float32 ``[n, C, H, W]``, off their means by so many deviations."""
        which = mirrored.long()
        return self.mean[which, chosen].float() + self.deviation[which, chosen].float() * noise
