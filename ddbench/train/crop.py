"""Random resized crops of a whole batch, each image with its own box, mirrored or not: one resampling in all."""

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
    """Boxes within images of ``size`` pixels, distributed as torchvision's ``RandomResizedCrop`` draws them.

    Area uniform, aspect ratio log-uniform, at most ten attempts to find a box that fits, else the whole image.

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
    """Make ``boxes [n, 4]`` of draws ``[n, 22]``: an area and a ratio for each attempt, then a place."""
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
    """The boxes that leave images as they are."""
    return torch.tensor([0, 0, size, size]).expand(count, 4).contiguous()


def resample(images: Tensor, boxes: Tensor, flip: Tensor) -> Tensor:
    """Cut each box out of float images ``[n, 3, S, S]``, stretch it to S x S bilinearly, mirror it where ``flip``.

    A crop is never larger than its image, so that there is nothing to filter: antialiasing changes nothing.
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
    """Where along one side the ``size`` pixels of each crop are read, ``[n, size]``: -1 is the first pixel, 1 the last.

    Reading stops at the box's own edge, as if the crop were a picture of its own.
    """
    step = (torch.arange(size, dtype=torch.float64) + 0.5) / size
    inside = (step * length[:, None] - 0.5).clamp(min=0).minimum(length[:, None] - 1)
    return (start[:, None] + inside) * (2 / (size - 1)) - 1
