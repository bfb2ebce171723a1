"""Images in [0, 1] as bytes, and bytes as the latents of generators that have no others."""

from __future__ import annotations

import torch
from torch import Tensor


def to_bytes(images: Tensor) -> Tensor:
    """Images in [0, 1] to the nearest uint8 images."""
    return (images * 255).round().to(torch.uint8)


def to_latents(images: Tensor) -> Tensor:
    """uint8 images ``[n, 3, H, W]`` to latents in [−1, 1]."""
    return images.float() / 127.5 - 1


def to_images(latents: Tensor) -> Tensor:
    """Latents to the nearest uint8 images; the inverse of :func:`to_latents`."""
    return to_bytes(decode(latents))


def decode(latents: Tensor) -> Tensor:
    """Latents to images in [0, 1]."""
    return ((latents + 1) / 2).clamp(0, 1)
