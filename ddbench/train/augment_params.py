"""Random augmentation parameters of a batch, drawn at once."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Generator, Tensor

from ddbench.protocol.augmentation import Augmentation
from ddbench.train.color import random_jitter, random_lighting
from ddbench.train.crop import random_boxes, whole


class AugmentParams(NamedTuple):
    """Augmentation parameters on the CPU, one row for each image.

    Operations that a protocol leaves out get parameters that change nothing.

    Attributes:
        boxes: top, left, height and width of the crop, ``[n, 4]`` int64.
        flip: true for images that are mirrored left to right, ``[n]`` bool.
        strengths: strengths of brightness, contrast and saturation, ``[n, 3]`` float32.
        added: offsets added to the colours afterwards, ``[n, 3]`` float32.
    """

    boxes: Tensor
    flip: Tensor
    strengths: Tensor
    added: Tensor


def draw(count: int, size: int, what: Augmentation, rng: Generator) -> AugmentParams:
    """Draw parameters for ``count`` images of ``size`` pixels, independently for each image."""
    return AugmentParams(
        whole(count, size) if what.crop is None else random_boxes(count, size, what.crop, rng),
        torch.rand(count, generator=rng) < (what.flip or 0.0),
        torch.zeros(count, 3) if what.color_jitter is None else random_jitter(count, what.color_jitter, rng),
        torch.zeros(count, 3) if what.lighting is None else random_lighting(count, what.lighting, rng),
    )
