"""Colour changes of a batch, as one affine map of the colours of each image.

Brightness, contrast and saturation mix a pixel with black, the image's mean grey and the pixel's own grey. All three
are linear in the image, and lighting adds a constant. Together they are one 3x3 matrix and one bias for each image.

Values are not clamped to [0, 1] in between, as in the code behind the published numbers. The three changes therefore
commute. Brightness multiplies everything. Neither mixture changes the grey that the other mixes in, since the weights
of grey sum to 1.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ddbench.protocol.augmentation import ColorJitter

GREY = (0.299, 0.587, 0.114)
# The principal components of ImageNet's colours (Krizhevsky et al. 2012) for pixels in [0, 1], one in each column.
LIGHTING_VALUES = (0.2175, 0.0188, 0.0045)
LIGHTING_VECTORS = ((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203))

_ALONG_COMPONENTS = torch.tensor(LIGHTING_VALUES)[:, None] * torch.tensor(LIGHTING_VECTORS).T


def random_jitter(count: int, jitter: ColorJitter, rng: Generator) -> Tensor:
    """Draw strengths of brightness, contrast and saturation, ``[n, 3]``, uniform within their limits around 0."""
    limits = torch.tensor([jitter.brightness, jitter.contrast, jitter.saturation])
    return torch.rand(count, 3, generator=rng).mul_(2).sub_(1).mul_(limits)


def jitter_map(means: Tensor, strengths: Tensor) -> tuple[Tensor, Tensor]:
    """Return the three changes as a matrix ``[n, 3, 3]`` and a bias ``[n, 3]``.

    Args:
        means: the mean colour of each unchanged image, ``[n, 3]``.
        strengths: the shares of black, of the mean grey and of the pixel's own grey to mix in, ``[n, 3]``.
    """
    grey = means.new_tensor(GREY)
    brightness, contrast, saturation = strengths[:, :, None, None].unbind(1)
    mixed = (1 - saturation) * torch.eye(3, device=means.device) + saturation * grey
    mean_grey = (means @ grey)[:, None]
    bias = ((1 - brightness) * contrast)[:, 0] * mean_grey
    return (1 - brightness) * (1 - contrast) * mixed, bias.expand_as(means)


def random_lighting(count: int, std: float, rng: Generator) -> Tensor:
    """Draw colour offsets, ``[n, 3]``, normally distributed along ImageNet's principal components."""
    return torch.randn(count, 3, generator=rng).mul_(std) @ _ALONG_COMPONENTS


def apply_map(images: Tensor, matrix: Tensor, bias: Tensor) -> Tensor:
    """Apply a colour map to images ``[n, 3, H, W]``."""
    return torch.baddbmm(bias[:, :, None], matrix, images.flatten(2)).view_as(images)
