"""Patch shuffling (RDED, arXiv:2312.03526) of a batch: strips of rows and strips of columns are permuted."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def random_strips(count: int, size: int, factor: int, rng: Generator) -> Tensor:
    """Return, for each image, the source row of each target row, ``[n, size]``, with ``factor`` strips in random order.

    All strips have the same width, except for the last one, which takes the remaining rows.
    """
    strip = (torch.arange(size) // (size // factor)).clamp(max=factor - 1)
    rank = torch.rand(count, factor, generator=rng).argsort(dim=1)
    return rank[:, strip].argsort(dim=1, stable=True)


def shuffle(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Reorder images ``[n, 3, S, S]`` by the source ``rows`` and ``columns``, ``[n, S]`` each."""
    size = images.shape[-1]
    places = (rows[:, :, None] * size + columns[:, None, :]).flatten(1).to(images.device)
    pixels = images.flatten(2)
    return pixels.gather(2, places[:, None].expand_as(pixels)).view_as(images)
