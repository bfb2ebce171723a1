"""Random resized crops and flips of a batch, in one resampling."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from ddbench.protocol.augmentation import Crop
from ddbench.toolkit.compilation import compiled

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

ATTEMPTS = 10


def random_boxes(count: int, size: int, crop: Crop, rng: Generator) -> Tensor:
    """Draw boxes within images of ``size`` pixels, distributed as in torchvision's ``RandomResizedCrop``.

    The area is uniform and the aspect ratio log-uniform. If ten attempts find no box that fits, the whole image is
    used.

    Returns:
        top, left, height and width in pixels, ``[n, 4]`` int64.
    """
    uniform = torch.rand(count, 2 * ATTEMPTS + 2, generator=rng)
    boxes = torch.empty(count, 4, dtype=torch.int64)
    _find(uniform.numpy(), size, *crop.scale, *_logarithms(crop.ratio), boxes.numpy())
    return boxes


@cache
def _logarithms(ratio: tuple[str, str]) -> tuple[float, float]:
    low, high = (math.log(Fraction(quotient)) for quotient in ratio)
    return low, high


@compiled
def _find(uniform: Array, size: int, least: float, most: float, low: float, high: float, boxes: Array) -> None:
    """Fill ``boxes [n, 4]`` from random numbers ``[n, 22]``: an area and a ratio for each attempt, then a position."""
    for i in range(len(boxes)):
        height = width = size
        for attempt in range(ATTEMPTS):
            area = size * size * (least + (most - least) * uniform[i, 2 * attempt])
            ratio = math.exp(low + (high - low) * uniform[i, 2 * attempt + 1])
            across, along = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if 0 < across <= size and 0 < along <= size:
                height, width = along, across
                break
        boxes[i, 0] = int(uniform[i, -2] * (size - height + 1))
        boxes[i, 1] = int(uniform[i, -1] * (size - width + 1))
        boxes[i, 2] = height
        boxes[i, 3] = width


def whole(count: int, size: int) -> Tensor:
    """Return the boxes that leave images unchanged."""
    return torch.tensor([0, 0, size, size]).expand(count, 4).contiguous()


def resample(images: Tensor, boxes: Tensor, flip: Tensor) -> Tensor:
    """Crop float images ``[n, 3, S, S]`` to their boxes, resize to S x S bilinearly, and mirror those with ``flip``.

    A crop is never larger than its image, so antialiasing would change nothing.
    """
    size = images.shape[-1]
    top, left, height, width = boxes.double().T
    rows, columns = _positions(top, height, size), _positions(left, width, size)
    columns = torch.where(flip[:, None], columns.flip(1), columns)
    rows, columns = (side.to(images.device, torch.float32) for side in (rows, columns))
    shape = (len(images), size, size)
    grid = torch.stack([columns[:, None, :].expand(shape), rows[:, :, None].expand(shape)], dim=-1)
    return F.grid_sample(images, grid, mode="bilinear", align_corners=True)


def _positions(start: Tensor, length: Tensor, size: int) -> Tensor:
    """Return the positions along one side at which each crop is sampled, ``[n, size]``, from -1 to 1.

    Positions are clamped to the box, as if the crop were an image of its own.
    """
    step = (torch.arange(size, dtype=torch.float64) + 0.5) / size
    inside = (step * length[:, None] - 0.5).clamp(min=0).minimum(length[:, None] - 1)
    return (start[:, None] + inside) * (2 / (size - 1)) - 1
