"""Images for training: all on the device, on the scale of bytes, at the student's input size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ddbench.api.pixels import unit_floats


@dataclass(frozen=True, eq=False)
class ResidentImages:
    """A labelled image set on one device.

    Attributes:
        pixels: ``[N, 3, S, S]``, uint8, or float32 from 0 to 255. Learnt images may exceed that.
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
        parts: int | None = None,
    ) -> ResidentImages:
        """Resize images ``[N, 3, H, W]`` to ``size`` pixels and move them, with their labels, to ``device``.

        Args:
            pixels: uint8, or float32 with the byte 255 at 1. If all floats are bytes divided by 255, they become bytes.
            side: length of the shorter side before the centre crop; ``size`` by default.
            parts: put the parts of each image in its place, see :func:`cut`.
        """
        if parts is not None:
            pixels, labels = cut(pixels, parts), labels.repeat(parts**2)
        return cls(
            pixels=resize(_on_byte_scale(pixels), size, side).to(device),
            labels=labels.to(device),
            mean=torch.tensor(mean, device=device),
            std=torch.tensor(std, device=device),
            soft=None if soft is None else soft.to(device),
        )


def _on_byte_scale(pixels: Tensor) -> Tensor:
    """Multiply floats by 255. Convert them to uint8 if this changes none, so that they train as the bytes do."""
    if not pixels.is_floating_point():
        return pixels
    scaled = pixels * 255
    whole = scaled.clamp(0, 255).round()
    return whole.to(torch.uint8) if whole.equal(scaled) else scaled


def resize(pixels: Tensor, size: int, side: int | None = None) -> Tensor:
    """Resize images ``[N, 3, H, W]`` with Pillow's bilinear filter, then crop the centre to ``size`` pixels.

    The published protocols resize bytes with Pillow; torch's filter of bytes differs by up to two grey levels. Torch's
    filter of floats is Pillow's without rounding.

    Args:
        side: length of the shorter side before the centre crop; ``size`` by default.
    """
    side = side or size
    if tuple(pixels.shape[-2:]) == (size, size) == (side, side):
        return pixels
    # This import takes two seconds, and most workers do not need it.
    from torchvision.transforms.v2 import functional as transforms

    if pixels.is_floating_point():
        resized: Tensor = transforms.center_crop(transforms.resize(pixels, [side], antialias=True), [size, size])
        return resized
    pictures = (transforms.to_pil_image(image) for image in pixels.cpu())
    cropped = (transforms.center_crop(transforms.resize(p, [side]), [size, size]) for p in pictures)
    return torch.stack([transforms.pil_to_tensor(p) for p in cropped])


def cut(images: Tensor, parts: int) -> Tensor:
    """Cut images ``[N, 3, H, H]`` into grids of parts, and enlarge each part bilinearly to H pixels.

    This is the multi-formation of IDC (arXiv:2205.14959). If ``parts`` does not divide H, grey pixels are added below
    and to the right, as in its code.

    Returns:
        float32 images with the byte 255 at 1, ``[parts² N, 3, H, H]``: the first part of each image, then the second
        one, row by row.
    """
    images, side = unit_floats(images), images.shape[-1]
    missing = -side % parts
    images = F.pad(images, (0, missing, 0, missing), value=0.5)
    part = images.shape[-1] // parts
    grid = images.reshape(-1, 3, parts, part, parts, part)
    cells = grid.permute(2, 4, 0, 1, 3, 5).flatten(0, 2)
    return F.interpolate(cells, size=(side, side), mode="bilinear", align_corners=False)


def unit(pixels: Tensor) -> Tensor:
    """Convert pixels from 0 to 255 to float32 in [0, 1]."""
    return pixels.float() / 255


def normalize(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Normalise images ``[n, 3, H, W]`` with pixels in [0, 1]."""
    return (images - mean[:, None, None]) / std[:, None, None]


def denormalize(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Undo ``normalize``."""
    return images * std[:, None, None] + mean[:, None, None]
