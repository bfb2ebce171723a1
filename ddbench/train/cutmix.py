"""CutMix (arXiv:1905.04899): paste a box of other images of the batch, and mix the labels by its area."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor

from ddbench.protocol.augmentation import CutMix
from ddbench.toolkit.compilation import compiled

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]


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
    box = clipped_box(size, area, *rng.integers(size, size=2).tolist())
    partner = rng.permutation(len(images))
    paste = paste_in_one_pass if images.device.type == "cpu" else paste_in_steps
    paste(images, partner, box)
    partners = labels[torch.from_numpy(partner).to(labels.device)]
    return Mixed(images, partners, 1 - (box.bottom - box.top) * (box.right - box.left) / size**2)


def paste_in_steps(images: Tensor, partner: Array, box: Box) -> None:
    """Exchange the box of every image for its partner's, on any device."""
    inside = images[:, :, box.top : box.bottom, box.left : box.right]
    inside.copy_(inside[torch.from_numpy(partner).to(images.device)])


def paste_in_one_pass(images: Tensor, partner: Array, box: Box) -> None:
    """Exchange the box of every image for its partner's, on a CPU."""
    _paste(images.numpy(), partner, *box)


@compiled
def _paste(images: Array, partner: Array, top: int, bottom: int, left: int, right: int) -> None:
    """Along each cycle of the permutation every box is moved once, but for the first, which is kept aside."""
    aside = np.empty((1, *images.shape[1:]), images.dtype)
    moved = np.zeros(len(images), np.bool_)
    for first in range(len(images)):
        if moved[first] or partner[first] == first:
            continue
        _copy(images, first, aside, 0, top, bottom, left, right)
        at = first
        while partner[at] != first:
            _copy(images, partner[at], images, at, top, bottom, left, right)
            moved[at] = True
            at = partner[at]
        _copy(aside, 0, images, at, top, bottom, left, right)
        moved[at] = True


@compiled
def _copy(images: Array, i: int, others: Array, j: int, top: int, bottom: int, left: int, right: int) -> None:
    for c in range(images.shape[1]):
        for y in range(top, bottom):
            line, copied = images[i, c, y, left:right], others[j, c, y, left:right]
            for x in range(len(line)):
                copied[x] = line[x]
