"""Patch shuffling (RDED, arXiv:2312.03526) of a whole batch: strips of rows change places, and strips of columns."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def random_strips(count: int, size: int, factor: int, rng: Generator) -> Tensor:
    """For each image which line ends up at each of ``size`` places, ``[n, size]``: ``factor`` strips in random order.

    All strips have the same width, but for the last of the image, which has what is left over.
    """
    strip = (torch.arange(size) // (size // factor)).clamp(max=factor - 1)
    rank = torch.rand(count, factor, generator=rng).argsort(dim=1)
    return rank[:, strip].argsort(dim=1, stable=True)


def shuffle(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Images ``[n, 3, S, S]`` whose lines come from these ``rows`` and ``columns``, ``[n, S]`` each."""
    size = images.shape[-1]
    places = (rows[:, :, None] * size + columns[:, None, :]).flatten(1).to(images.device)
    pixels = images.flatten(2)
    return pixels.gather(2, places[:, None].expand_as(pixels)).view_as(images)
