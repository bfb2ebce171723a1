"""CutMix (arXiv:1905.04899): paste a box from other images of the batch, and mix the labels by its area."""

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
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right`` of an image, the ends excluded."""

    top: int
    bottom: int
    left: int
    right: int


class Mixed(NamedTuple):
    """A batch after CutMix.

    Attributes:
        images: the mixed images, ``[n, 3, S, S]``.
        partners: labels of the images that the boxes come from, ``[n]`` int64, or a teacher's logits ``[n, C]``.
        kept: share of each image's area that is unchanged.
    """

    images: Tensor
    partners: Tensor
    kept: float


def clipped_box(size: int, area: float, row: int, column: int) -> Box:
    """Return the part within the image of a box around a pixel; ``area`` is a share of the image's area.

    Half of the side is rounded down twice, as in the published code, so the box is a little smaller than ``area``.
    """
    half = int(size * math.sqrt(area)) // 2
    return Box(max(row - half, 0), min(row + half, size), max(column - half, 0), min(column + half, size))


def cutmix(images: Tensor, labels: Tensor, what: CutMix, rng: np.random.Generator) -> Mixed:
    """Paste one box of a partner image into every image, with the probability that the protocol gives.

    All images share the box. Partners are a random permutation of the batch.

    Args:
        images: ``[n, 3, S, S]``; changed in place.
        labels: ``[n]`` int64, or a teacher's logits ``[n, C]``.
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
    """Replace the box of every image by its partner's, on any device."""
    inside = images[:, :, box.top : box.bottom, box.left : box.right]
    inside.copy_(inside[torch.from_numpy(partner).to(images.device)])


def paste_in_one_pass(images: Tensor, partner: Array, box: Box) -> None:
    """Replace the box of every image by its partner's, on a CPU."""
    _paste(images.numpy(), partner, *box)


@compiled
def _paste(images: Array, partner: Array, top: int, bottom: int, left: int, right: int) -> None:
    """Move the boxes along each cycle of the permutation; the first box of a cycle is saved and moved last."""
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
