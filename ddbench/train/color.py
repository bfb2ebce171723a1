"""Colour changes of a whole batch, each image with its own, as one affine map of its colours.

Brightness, contrast and saturation each mix a pixel with something that is linear in the image (black, the mean grey,
the pixel's own grey), and lighting adds a constant: together they are one 3x3 matrix and one bias an image. Nothing is
clamped to [0, 1] on the way, as in the code that the published numbers come from. The three changes therefore commute,
in whatever order they come: brightness multiplies everything, and neither mixture changes what the other one mixes in,
since the weights of grey sum to 1.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ddbench.protocol.augmentation import ColorJitter

GREY = (0.299, 0.587, 0.114)
# The principal components of ImageNet's colours (Krizhevsky et al. 2012) for pixels in [0, 1]: a column a component.
LIGHTING_VALUES = (0.2175, 0.0188, 0.0045)
LIGHTING_VECTORS = ((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203))

_ALONG_COMPONENTS = torch.tensor(LIGHTING_VALUES)[:, None] * torch.tensor(LIGHTING_VECTORS).T


def random_jitter(count: int, jitter: ColorJitter, rng: Generator) -> Tensor:
    """Strengths of brightness, contrast and saturation, ``[n, 3]``, uniform in plus or minus their limits."""
    limits = torch.tensor([jitter.brightness, jitter.contrast, jitter.saturation])
    return torch.rand(count, 3, generator=rng).mul_(2).sub_(1).mul_(limits)


def jitter_map(means: Tensor, strengths: Tensor) -> tuple[Tensor, Tensor]:
    """The three changes as matrix ``[n, 3, 3]`` and bias ``[n, 3]``.

    Args:
        means: ``[n, 3]``, each image's mean colour before them.
        strengths: ``[n, 3]``, the share of black, of the mean grey and of the own grey that each change mixes in.
    """
    grey = means.new_tensor(GREY)
    brightness, contrast, saturation = strengths[:, :, None, None].unbind(1)
    mixed = (1 - saturation) * torch.eye(3, device=means.device) + saturation * grey
    mean_grey = (means @ grey)[:, None]
    bias = ((1 - brightness) * contrast)[:, 0] * mean_grey
    return (1 - brightness) * (1 - contrast) * mixed, bias.expand_as(means)


def random_lighting(count: int, std: float, rng: Generator) -> Tensor:
    """What is added to the colours of each image, ``[n, 3]``: normal along ImageNet's principal components."""
    return torch.randn(count, 3, generator=rng).mul_(std) @ _ALONG_COMPONENTS


def apply_map(images: Tensor, matrix: Tensor, bias: Tensor) -> Tensor:
    """Map the colours of images ``[n, 3, H, W]``."""
    return torch.baddbmm(bias[:, :, None], matrix, images.flatten(2)).view_as(images)
