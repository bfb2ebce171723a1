"""Images for training: all on the device, as uint8, at the student's input size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class ResidentImages:
    """A labelled image set on one device.

    Attributes:
        pixels: uint8 ``[N, 3, S, S]``.
        labels: ``[N]`` int64.
        mean, std: ``[3]`` float32; they normalise pixels in [0, 1].
        soft: a teacher's logits, ``[N, C]`` float32, or None.
    """

    pixels: Tensor
    labels: Tensor
    mean: Tensor
    std: Tensor
    soft: Tensor | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def put(
        cls,
        pixels: Tensor,
        labels: Tensor,
        *,
        size: int,
        mean: Sequence[float],
        std: Sequence[float],
        device: str,
        side: int | None = None,
        soft: Tensor | None = None,
    ) -> ResidentImages:
        """Resize uint8 images ``[N, 3, H, W]`` to ``size`` pixels and move them, with their labels, to ``device``.

        Args:
            side: length of the shorter side before the centre crop; ``size`` by default.
        """
        return cls(
            pixels=resize(pixels, size, side).to(device),
            labels=labels.to(device),
            mean=torch.tensor(mean, device=device),
            std=torch.tensor(std, device=device),
            soft=None if soft is None else soft.to(device),
        )


def resize(pixels: Tensor, size: int, side: int | None = None) -> Tensor:
    """Resize uint8 images ``[N, 3, H, W]`` with Pillow's bilinear filter, then crop the centre to ``size`` pixels.

    The published protocols resize with Pillow; torch's own filter differs by up to two grey levels.

    Args:
        side: length of the shorter side before the centre crop; ``size`` by default.
    """
    side = side or size
    if tuple(pixels.shape[-2:]) == (size, size) == (side, side):
        return pixels
    # This import takes two seconds, and most workers do not need it.
    from torchvision.transforms.v2 import functional as F

    pictures = (F.to_pil_image(image) for image in pixels.cpu())
    return torch.stack([F.pil_to_tensor(F.center_crop(F.resize(p, [side]), [size, size])) for p in pictures])


def unit(pixels: Tensor) -> Tensor:
    """Convert uint8 pixels to float32 in [0, 1]."""
    return pixels.float() / 255


def normalize(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Normalise images ``[n, 3, H, W]`` with pixels in [0, 1]."""
    return (images - mean[:, None, None]) / std[:, None, None]


def denormalize(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Undo ``normalize``."""
    return images * std[:, None, None] + mean[:, None, None]
