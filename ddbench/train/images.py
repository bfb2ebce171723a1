"""Images as the trainer holds them: all of them on the device, as bytes, at the size that the student sees."""

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
        mean, std: ``[3]`` float32, what the pixels in [0, 1] are normalised with.
        soft: ``[N, C]`` float32, a teacher's logits, where there are any.
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
            side: their shorter side before the middle is cut out, where that is not ``size`` itself.
        """
        return cls(
            pixels=resize(pixels, size, side).to(device),
            labels=labels.to(device),
            mean=torch.tensor(mean, device=device),
            std=torch.tensor(std, device=device),
            soft=None if soft is None else soft.to(device),
        )


def resize(pixels: Tensor, size: int, side: int | None = None) -> Tensor:
    """uint8 images ``[N, 3, H, W]`` at ``size`` pixels: Pillow's bilinear filter to the shorter side, then the centre.

    The published protocols resize with Pillow; torch's own filter is up to two grey levels off.

    Args:
        side: what the shorter side is resized to, ``size`` by default.
    """
    side = side or size
    if tuple(pixels.shape[-2:]) == (size, size) == (side, side):
        return pixels
    # Two seconds to import, which a worker whose images have their size already is spared.
    from torchvision.transforms.v2 import functional as F

    pictures = (F.to_pil_image(image) for image in pixels.cpu())
    return torch.stack([F.pil_to_tensor(F.center_crop(F.resize(p, [side]), [size, size])) for p in pictures])


def unit(pixels: Tensor) -> Tensor:
    """uint8 pixels as float32 in [0, 1]."""
    return pixels.float() / 255


def normalize(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """What students see of images ``[n, 3, H, W]`` with pixels in [0, 1]."""
    return (images - mean[:, None, None]) / std[:, None, None]


def denormalize(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """What ``normalize`` made these images of."""
    return images * std[:, None, None] + mean[:, None, None]
