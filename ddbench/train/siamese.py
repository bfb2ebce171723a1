"""Siamese augmentation (DSA, arXiv:2102.08259) of normalised batches.

All images of a batch share the operation. Each image has its own parameters, unless they are shared. Parameters are
drawn on the CPU, and each operation is one computation for the batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from ddbench.protocol.augmentation import Siamese, SiameseColor
from ddbench.train.patches import shuffle


def siamese(images: Tensor, what: Siamese, rng: Generator, *, shared: bool = False) -> Tensor:
    """Apply the protocol's fixed operations to normalised images ``[n, 3, S, S]``, then one random operation.

    Args:
        shared: give all images the same parameters, which then do not depend on their number.
    """
    count = 1 if shared else len(images)
    if what.always is not None:
        for name in what.always.present:
            images = _OPERATIONS[name](images, getattr(what.always, name), count, rng)
    if what.one_of is not None:
        names = what.one_of.present
        name = names[int(torch.randint(len(names), (), generator=rng))]
        images = _OPERATIONS[name](images, getattr(what.one_of, name), count, rng)
    return images


def recolor(images: Tensor, brightness: Tensor, saturation: Tensor, contrast: Tensor) -> Tensor:
    """Add ``brightness``, then scale distances from each pixel's mean, then from each image's mean; ``[n]`` each."""
    brightness, saturation, contrast = (
        t.to(images.device)[:, None, None, None] for t in (brightness, saturation, contrast)
    )
    images = images + brightness
    pixel_mean = images.mean(dim=1, keepdim=True)
    images = (images - pixel_mean) * saturation + pixel_mean
    image_mean = images.mean(dim=(1, 2, 3), keepdim=True)
    return (images - image_mean) * contrast + image_mean


def mirror(images: Tensor, flip: Tensor) -> Tensor:
    """Mirror the images whose ``flip``, ``[n]`` bool, is true."""
    return torch.where(flip.to(images.device)[:, None, None, None], images.flip(-1), images)


def shift(images: Tensor, down: Tensor, right: Tensor) -> Tensor:
    """Shift each image up by ``down`` pixels and left by ``right`` pixels, ``[n]`` int64 each; fill with zeros."""
    size = images.shape[-1]
    lines = torch.arange(size)
    rows, columns = (lines + by[:, None] for by in (down, right))
    inside = ((rows >= 0) & (rows < size))[:, :, None] & ((columns >= 0) & (columns < size))[:, None, :]
    rows, columns = (at.clamp(0, size - 1) for at in (rows, columns))
    return shuffle(images, rows, columns) * inside.to(images.device)[:, None]


def cut_out(images: Tensor, row: Tensor, column: Tensor, side: int) -> Tensor:
    """Set a box of ``side`` pixels to 0, starting ``side // 2`` before ``row`` and ``column``, ``[n]`` int64 each."""
    lines = torch.arange(images.shape[-1])
    rows, columns = (
        (lines >= at[:, None] - side // 2) & (lines < at[:, None] - side // 2 + side) for at in (row, column)
    )
    box = rows[:, :, None] & columns[:, None, :]
    return images * ~box.to(images.device)[:, None]


def warp(images: Tensor, matrix: Tensor) -> Tensor:
    """Sample each pixel bilinearly at ``matrix [n, 2, 2]`` times its position (x, y) relative to the image's centre."""
    theta = F.pad(matrix, (0, 1)).to(images.device, images.dtype).expand(len(images), -1, -1)
    grid = F.affine_grid(theta, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def scaling(across: Tensor, along: Tensor) -> Tensor:
    """Return matrices ``[n, 2, 2]`` that sample ``across`` times (x) and ``along`` times (y) as far from the centre."""
    return torch.diag_embed(torch.stack([across, along], dim=1))


def rotation(angle: Tensor) -> Tensor:
    """Return rotation matrices ``[n, 2, 2]`` for angles in radians."""
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos, -sin, sin, cos], dim=1).view(-1, 2, 2)


def _flip(images: Tensor, probability: float, count: int, rng: Generator) -> Tensor:
    return mirror(images, torch.rand(count, generator=rng) < probability)


def _color(images: Tensor, what: SiameseColor, count: int, rng: Generator) -> Tensor:
    u = torch.rand(3, count, generator=rng)
    return recolor(images, (u[0] - 0.5) * what.brightness, u[1] * what.saturation, u[2] + what.contrast)


def _crop(images: Tensor, share: float, count: int, rng: Generator) -> Tensor:
    most = int(images.shape[-1] * share + 0.5)
    down, right = torch.randint(-most, most + 1, (2, count), generator=rng)
    return shift(images, down, right)


def _cutout(images: Tensor, share: float, count: int, rng: Generator) -> Tensor:
    size = images.shape[-1]
    side = int(size * share + 0.5)
    # An even box has no middle pixel. Its centre lies between pixels or on the image's edge.
    row, column = torch.randint(size + 1 - side % 2, (2, count), generator=rng)
    return cut_out(images, row, column, side)


def _scale(images: Tensor, most: float, count: int, rng: Generator) -> Tensor:
    across, along = torch.rand(2, count, generator=rng) * (most - 1 / most) + 1 / most
    return warp(images, scaling(across, along))


def _rotate(images: Tensor, degrees: float, count: int, rng: Generator) -> Tensor:
    return warp(images, rotation((2 * torch.rand(count, generator=rng) - 1) * math.radians(degrees)))


_OPERATIONS: Final[dict[str, Callable[[Tensor, Any, int, Generator], Tensor]]] = {
    "flip": _flip,
    "color": _color,
    "crop": _crop,
    "cutout": _cutout,
    "scale": _scale,
    "rotate": _rotate,
}
