"""Colour changes of a whole batch, each image with its own, as one affine map of its colours.

Brightness, contrast and saturation each mix a pixel with something that is linear in the image (black, the mean grey,
the pixel's own grey), and lighting adds a constant. Any sequence of them is therefore one 3x3 matrix and one bias an
image. Nothing is clamped to [0, 1] on the way, as in the code that the published numbers come from.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ddbench.train.augmentation import ColorJitter

GREY = (0.299, 0.587, 0.114)
# The principal components of ImageNet's colours (Krizhevsky et al. 2012) for pixels in [0, 1]: a column a component.
LIGHTING_VALUES = (0.2175, 0.0188, 0.0045)
LIGHTING_VECTORS = ((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203))

BRIGHTNESS, CONTRAST, SATURATION = range(3)


def random_jitter(count: int, jitter: ColorJitter, rng: Generator) -> tuple[Tensor, Tensor]:
    """Strengths and order of the three changes for each image.

    Returns:
        strengths ``[n, 3]`` of brightness, contrast and saturation, uniform in plus or minus their limits; and which
        of the three comes first, second and third, ``[n, 3]`` int64.
    """
    limits = torch.tensor([jitter.brightness, jitter.contrast, jitter.saturation])
    strengths = (2 * torch.rand(count, 3, generator=rng) - 1) * limits
    return strengths, torch.rand(count, 3, generator=rng).argsort(dim=1)


def jitter_map(means: Tensor, strengths: Tensor, order: Tensor) -> tuple[Tensor, Tensor]:
    """The three changes, in their order, as matrix ``[n, 3, 3]`` and bias ``[n, 3]``.

    Args:
        means: ``[n, 3]``, each image's mean colour before the first change.
    """
    grey = means.new_tensor(GREY)
    matrix = torch.eye(3, device=means.device).expand(len(means), 3, 3)
    bias = torch.zeros_like(means)
    for change in order.T:
        strength = strengths.gather(1, change[:, None])
        # The mean grey of the image as it is now: that of its first mean colour, carried through the map so far.
        mean_grey = ((matrix @ means[:, :, None])[:, :, 0] + bias) @ grey
        to_own_grey = torch.where(change[:, None] == SATURATION, strength, 0)
        to_mean_grey = torch.where(change[:, None] == CONTRAST, strength, 0)
        matrix, bias = (
            (1 - strength[:, :, None]) * matrix + to_own_grey[:, :, None] * (grey @ matrix)[:, None, :],
            (1 - strength) * bias + to_own_grey * (bias @ grey)[:, None] + to_mean_grey * mean_grey[:, None],
        )
    return matrix, bias


def random_lighting(count: int, std: float, rng: Generator) -> Tensor:
    """What is added to the colours of each image, ``[n, 3]``: normal along ImageNet's principal components."""
    amounts = std * torch.randn(count, 3, generator=rng) * torch.tensor(LIGHTING_VALUES)
    return amounts @ torch.tensor(LIGHTING_VECTORS).T


def apply_map(images: Tensor, matrix: Tensor, bias: Tensor) -> Tensor:
    """Map the colours of images ``[n, 3, H, W]``."""
    return torch.baddbmm(bias[:, :, None], matrix, images.flatten(2)).view_as(images)
