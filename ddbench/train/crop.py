"""Random resized crops of a whole batch, each image with its own box, mirrored or not: one resampling in all."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from ddbench.train.augmentation import Crop

ATTEMPTS = 10


class Boxes(NamedTuple):
    """One box an image, in pixels, each ``[n]`` float64 with whole values."""

    top: Tensor
    left: Tensor
    height: Tensor
    width: Tensor


def random_boxes(count: int, size: int, crop: Crop, rng: Generator) -> Boxes:
    """Boxes within images of ``size`` pixels, distributed as torchvision's ``RandomResizedCrop`` draws them.

    Area uniform, aspect ratio log-uniform, at most ten attempts to find a box that fits, else the whole image.
    """
    uniform = torch.rand(4, count, ATTEMPTS, dtype=torch.float64, generator=rng)
    least, most = crop.scale
    low, high = (torch.tensor(float(Fraction(r)), dtype=torch.float64).log() for r in crop.ratio)
    area = size * size * (least + (most - least) * uniform[0])
    ratio = (low + (high - low) * uniform[1]).exp()
    width, height = (area * ratio).sqrt().round(), (area / ratio).sqrt().round()
    fits = (width > 0) & (width <= size) & (height > 0) & (height <= size)
    first = fits.to(torch.uint8).argmax(dim=1, keepdim=True)
    found = fits.any(dim=1)
    width, height = (torch.where(found, side.gather(1, first)[:, 0], size) for side in (width, height))
    top = (uniform[2, :, 0] * (size - height + 1)).floor()
    left = (uniform[3, :, 0] * (size - width + 1)).floor()
    return Boxes(top, left, height, width)


def resample(images: Tensor, boxes: Boxes, flip: Tensor) -> Tensor:
    """Cut each box out of float images ``[n, 3, S, S]``, stretch it to S x S bilinearly, mirror it where ``flip``.

    A crop is never larger than its image, so that there is nothing to filter: antialiasing changes nothing.
    """
    size = images.shape[-1]
    rows = _positions(boxes.top, boxes.height, size)
    columns = _positions(boxes.left, boxes.width, size)
    columns = torch.where(flip[:, None], columns.flip(1), columns)
    rows, columns = (side.to(images.device, torch.float32) for side in (rows, columns))
    shape = (len(images), size, size)
    grid = torch.stack([columns[:, None, :].expand(shape), rows[:, :, None].expand(shape)], dim=-1)
    return F.grid_sample(images, grid, mode="bilinear", align_corners=True)


def _positions(start: Tensor, length: Tensor, size: int) -> Tensor:
    """Where along one side the ``size`` pixels of each crop are read, ``[n, size]``: -1 is the first pixel, 1 the last.

    Reading stops at the box's own edge, as if the crop were a picture of its own.
    """
    step = (torch.arange(size, dtype=torch.float64) + 0.5) / size
    inside = (step * length[:, None] - 0.5).clamp(min=0).minimum(length[:, None] - 1)
    return (start[:, None] + inside) * (2 / (size - 1)) - 1
