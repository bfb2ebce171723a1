"""CutMix (arXiv:1905.04899): paste a box of other images of the batch, and mix the labels by its area."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ddbench.train.augmentation import CutMix


class Box(NamedTuple):
    """Rows ``top … bottom`` and columns ``left … right`` of an image, the ends excluded."""

    top: int
    bottom: int
    left: int
    right: int


class Mixed(NamedTuple):
    """A batch with the labels that its pasted parts bring.

    Attributes:
        partners: the labels of the images that the boxes come from, ``[n]`` int64 or a teacher's logits ``[n, C]``.
        kept: share of each image's area that is its own.
    """

    images: Tensor
    partners: Tensor
    kept: float


def clipped_box(size: int, area: float, row: int, column: int) -> Box:
    """The box of ``area`` (a share of the image's) around a pixel, as much of it as lies within ``size`` pixels.

    Its half side is rounded down twice, as in the published code, so that it covers a little less than ``area``.
    """
    half = int(size * math.sqrt(area)) // 2
    return Box(max(row - half, 0), min(row + half, size), max(column - half, 0), min(column + half, size))


def cutmix(images: Tensor, labels: Tensor, what: CutMix, rng: np.random.Generator) -> Mixed:
    """Paste into every image the same box of its partner, a random permutation of the batch; or leave the batch alone.

    Args:
        images: ``[n, 3, S, S]``; changed in place.
        labels: a row for each image: ``[n]`` int64 or a teacher's logits ``[n, C]``.
    """
    if rng.random() >= what.probability:
        return Mixed(images, labels, 1.0)
    size = images.shape[-1]
    area = 1 - rng.beta(what.alpha, what.alpha)
    top, bottom, left, right = clipped_box(size, area, *rng.integers(size, size=2).tolist())
    partner = torch.from_numpy(rng.permutation(len(images))).to(images.device)
    images[:, :, top:bottom, left:right] = images[partner, :, top:bottom, left:right]
    return Mixed(images, labels[partner], 1 - (bottom - top) * (right - left) / size**2)
