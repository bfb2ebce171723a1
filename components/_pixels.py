"""Conversion between images in [0, 1], uint8 images, and latents of generators that work on pixels."""

from __future__ import annotations

import torch
from torch import Tensor

from ddbench import ComponentError


def to_bytes(images: Tensor) -> Tensor:
    """Convert images in [0, 1] to the nearest uint8 images.

    Raises:
        ComponentError: a value is infinite or not a number. As a byte it would be 0, which is black.
    """
    if not torch.isfinite(images).all():
        raise ComponentError("decoded images have NaN or infinite values", hint="check the model and its precision")
    return (images * 255).round().to(torch.uint8)


def to_latents(images: Tensor) -> Tensor:
    """Convert uint8 images ``[n, 3, H, W]`` to latents in [−1, 1]."""
    return images.float() / 127.5 - 1


def to_images(latents: Tensor) -> Tensor:
    """Convert latents to the nearest uint8 images; the inverse of :func:`to_latents`."""
    return to_bytes(decode(latents))


def decode(latents: Tensor) -> Tensor:
    """Convert latents to images in [0, 1]."""
    return ((latents + 1) / 2).clamp(0, 1)
