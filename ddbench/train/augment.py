"""The augmentation of one batch on the device: crop and mirror, colours, normalisation."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ddbench.train.color import apply_map, jitter_map, random_jitter, random_lighting
from ddbench.train.crop import random_boxes, resample
from ddbench.train.images import ResidentImages, normalize, unit
from ddbench.train.protocol import Augmentation


def augment(data: ResidentImages, index: Tensor, what: Augmentation, rng: Generator) -> Tensor:
    """The images at ``index``, each augmented by draws of its own, and normalised: float32 ``[n, 3, S, S]``.

    Every draw is made on the CPU from ``rng``, so that an augmentation is the same on every device.
    """
    pixels = data.pixels[index]
    count, size = len(pixels), pixels.shape[-1]
    flip = torch.rand(count, generator=rng) < (what.flip or 0.0)
    if what.crop is not None:
        boxes = random_boxes(count, size, what.crop, rng)
        images = resample(unit(pixels), boxes, flip)
    else:
        mirrored = flip.to(pixels.device)[:, None, None, None]
        images = unit(torch.where(mirrored, pixels.flip(-1), pixels))
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
