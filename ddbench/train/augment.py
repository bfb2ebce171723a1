"""Augmentation of one batch on its device: patches, RandAugment, crop, flip, colours, siamese operations."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ddbench.protocol.augmentation import Augmentation
from ddbench.train import fused_augment
from ddbench.train.augment_params import AugmentParams, draw
from ddbench.train.color import apply_map, jitter_map
from ddbench.train.crop import resample
from ddbench.train.images import ResidentImages, unit
from ddbench.train.patches import random_strips, shuffle
from ddbench.train.rand_augment import rand_augment
from ddbench.train.siamese import siamese


def augment(data: ResidentImages, index: Tensor, what: Augmentation, rng: Generator) -> Tensor:
    """Return the images at ``index``, augmented independently and normalised: float32 ``[n, 3, S, S]``.

    Random numbers are drawn on the CPU from ``rng``, so the augmentation is the same on every device.
    """
    pixels, (count, size) = data.pixels, (len(index), data.pixels.shape[-1])
    if what.patch_shuffle is not None:
        rows, columns = (random_strips(count, size, what.patch_shuffle, rng) for _ in range(2))
        pixels, index = shuffle(pixels[index], rows, columns), torch.arange(count, device=pixels.device)
    if what.rand_augment is not None:
        pixels = rand_augment(pixels[index], what.rand_augment, rng)
        index = torch.arange(count, device=pixels.device)
    change = fused_augment.change if pixels.device.type == "cpu" else change_in_steps
    images = change(pixels, index, draw(count, size, what, rng), data.mean, data.std)
    return images if what.siamese is None else siamese(images, what.siamese, rng)


def change_in_steps(pixels: Tensor, index: Tensor, draws: AugmentParams, mean: Tensor, std: Tensor) -> Tensor:
    """Do the work of ``fused_augment.change`` on any device, by separate torch operations."""
    images = resample(unit(pixels[index]), draws.boxes, draws.flip)
    strengths, added = (t.to(images.device) for t in (draws.strengths, draws.added))
    matrix, bias = jitter_map(images.mean(dim=(2, 3)), strengths)
    return apply_map(images, matrix / std[:, None], (bias + added - mean) / std)
