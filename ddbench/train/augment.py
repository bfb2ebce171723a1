"""The augmentation of one batch on the device: patches, crop and mirror, colours, normalisation, siamese operations."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ddbench.train.augmentation import Augmentation
from ddbench.train.color import apply_map, jitter_map, random_jitter, random_lighting
from ddbench.train.crop import random_boxes, resample
from ddbench.train.images import ResidentImages, normalize, unit
from ddbench.train.patches import random_strips, shuffle
from ddbench.train.siamese import siamese


def augment(data: ResidentImages, index: Tensor, what: Augmentation, rng: Generator) -> Tensor:
    """The images at ``index``, each augmented by draws of its own, and normalised: float32 ``[n, 3, S, S]``.

    Every draw is made on the CPU from ``rng``, so that an augmentation is the same on every device.
    """
    pixels = data.pixels[index]
    count, size = len(pixels), pixels.shape[-1]
    if what.patch_shuffle is not None:
        rows, columns = (random_strips(count, size, what.patch_shuffle, rng) for _ in range(2))
        pixels = shuffle(pixels, rows, columns)
    images = _recolored(_cropped(pixels, what, rng), data, what, rng)
    return images if what.siamese is None else siamese(images, what.siamese, rng)


def _cropped(pixels: Tensor, what: Augmentation, rng: Generator) -> Tensor:
    """Crops, mirrored or not, in [0, 1]."""
    count, size = len(pixels), pixels.shape[-1]
    flip = torch.rand(count, generator=rng) < (what.flip or 0.0)
    if what.crop is not None:
        boxes = random_boxes(count, size, what.crop, rng)
        return resample(unit(pixels), boxes, flip)
    mirrored = flip.to(pixels.device)[:, None, None, None]
    return unit(torch.where(mirrored, pixels.flip(-1), pixels))


def _recolored(images: Tensor, data: ResidentImages, what: Augmentation, rng: Generator) -> Tensor:
    """Normalised, after the changes of colour."""
    if what.color_jitter is None and what.lighting is None:
        return normalize(images, data.mean, data.std)
    matrix, bias = _color_map(images, what, rng)
    return apply_map(images, matrix / data.std[:, None], (bias - data.mean) / data.std)


def _color_map(images: Tensor, what: Augmentation, rng: Generator) -> tuple[Tensor, Tensor]:
    """Jitter, then lighting, as matrix ``[n, 3, 3]`` and bias ``[n, 3]``."""
    means = images.mean(dim=(2, 3))
    matrix, bias = torch.eye(3, device=images.device).expand(len(images), 3, 3), torch.zeros_like(means)
    if what.color_jitter is not None:
        strengths, order = (t.to(images.device) for t in random_jitter(len(images), what.color_jitter, rng))
        matrix, bias = jitter_map(means, strengths, order)
    if what.lighting is not None:
        bias = bias + random_lighting(len(images), what.lighting, rng).to(images.device)
    return matrix, bias
