"""The two forms of images: uint8, and float32 with the byte 255 at 1.

Learnt images are floats. Their values may lie outside [0, 1].
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ddbench.errors import ComponentError
from ddbench.limits import PIXEL_VALUES

if TYPE_CHECKING:
    from torch import Tensor


def wrong_pixels(images: Tensor) -> str | None:
    """Return what is wrong with the values of images, or None.

    Images are uint8, or float32 in the unit of pixels in [0, 1], before normalisation.

    >>> import torch
    >>> wrong_pixels(torch.tensor([0.0, 255.0]))
    'has pixels from 0 to 255, not in [0, 1]; divide bytes by 255'
    """
    import torch

    if images.dtype == torch.uint8:
        return None
    if images.dtype != torch.float32:
        return f"has images of {images.dtype}, not uint8 or float32"
    if not images.numel():
        return None
    if not torch.isfinite(images).all():
        return "has NaN or infinite values in 'images'"
    (least, most), (low, high) = (float(end) for end in torch.aminmax(images)), PIXEL_VALUES
    if low <= least and most <= high:
        return None
    advice = "divide bytes by 255" if least >= 0 else "undo their normalisation, and divide bytes by 255"
    return f"has pixels from {least:g} to {most:g}, not in [0, 1]; {advice}"


def outside_unit(images: Tensor) -> float:
    """Return the share of values outside [0, 1]; 0 for uint8 images."""
    if not images.is_floating_point():
        return 0.0
    return float(((images < 0) | (images > 1)).float().mean())


def nearest_bytes(images: Tensor) -> Tensor:
    """Return uint8 images as they are; clamp float images to [0, 1] and round them to bytes."""
    import torch

    return (images.clamp(0, 1) * 255).round().to(torch.uint8) if images.is_floating_point() else images


def unit_floats(images: Tensor) -> Tensor:
    """Return float images as they are, and uint8 images divided by 255."""
    return images if images.is_floating_point() else images.float() / 255


def check_one_form(tensors: Iterable[Tensor]) -> None:
    """Raise ComponentError if the tensors have several dtypes. Torch would join bytes and floats without an error."""
    forms = sorted({str(tensor.dtype).removeprefix("torch.") for tensor in tensors})
    if len(forms) > 1:
        raise ComponentError(
            f"a pool mixes values of {' and '.join(forms)}", hint="its images must all be uint8 or all float32"
        )
