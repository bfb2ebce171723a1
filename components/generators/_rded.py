"""Random crops, a teacher's judgement of them, and collages, as RDED makes them (arXiv:2312.03526)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

# Smallest area of a crop, as a share of the image's. This is torchvision's default, which the authors' code uses.
LEAST_AREA = 0.08


def boxes(uniform: Array, size: int) -> Array:
    """Return square boxes within images of ``size`` pixels: top, left and side, ``[…, 3]`` int64.

    The area is uniform between ``LEAST_AREA`` and the whole image, and the position is uniform, as in torchvision's
    ``RandomResizedCrop`` with the ratio 1.

    Args:
        uniform: independent random numbers in [0, 1) for area, top and left, ``[…, 3]``.
        size: height and width of the images.
    """
    area = LEAST_AREA + (1 - LEAST_AREA) * uniform[..., :1]
    side = np.rint(size * np.sqrt(area)).clip(1).astype(np.int64)
    return np.concatenate([(uniform[..., 1:] * (size - side + 1)).astype(np.int64), side], axis=-1)


def crop(images: Tensor, where: Array, size: int) -> Tensor:
    """Cut every box out of its image and resize it bilinearly with antialiasing: uint8 ``[n, m, 3, size, size]``.

    Args:
        images: uint8 ``[n, 3, S, S]``.
        where: top, left and side of ``m`` boxes of each image, ``[n, m, 3]``.
        size: height and width of the crops.
    """
    crops = torch.empty(*where.shape[:2], 3, size, size, dtype=torch.uint8)
    for i, own in enumerate(where.tolist()):
        for k, (top, left, side) in enumerate(own):
            part = images[i : i + 1, :, top : top + side, left : left + side].float()
            resized = F.interpolate(part, (size, size), mode="bilinear", antialias=True)
            crops[i, k] = resized[0].round().clamp(0, 255)
    return crops


def losses(crops: Tensor, class_index: int, teach: Callable[[Tensor], Tensor], block: int, canvas: Tensor) -> Tensor:
    """Return a teacher's cross-entropy for each crop, ``[n]`` float64. The least is the most realistic.

    Args:
        crops: uint8 ``[n, 3, s, s]``.
        class_index: the class of the images that the crops come from.
        teach: maps images ``[b, 3, S, S]`` in [0, 1] to logits ``[b, C]``.
        block: number of crops that are judged together.
        canvas: an image ``[3, S, S]`` in [0, 1], in whose centre the teacher sees each crop.
    """
    start, side = (canvas.shape[-1] - crops.shape[-1]) // 2, crops.shape[-1]
    found = []
    for part in torch.split(crops, block):
        images = canvas.expand(len(part), -1, -1, -1).clone()
        images[:, :, start : start + side, start : start + side] = part.to(canvas.device) / 255
        with torch.no_grad():
            logits = teach(images)
        found.append(-logits.double().log_softmax(dim=1)[:, class_index].cpu())
    return torch.cat(found)


def collage(crops: Tensor, factor: int) -> Tensor:
    """Lay ``factor²`` successive crops out row by row: ``[n · factor², 3, s, s]`` to ``[n, 3, factor · s, …]``."""
    side = crops.shape[-1]
    grid = crops.view(-1, factor, factor, 3, side, side).permute(0, 3, 1, 4, 2, 5)
    return grid.reshape(-1, 3, factor * side, factor * side)
