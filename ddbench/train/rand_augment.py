"""RandAugment (arXiv:1909.13719) of a batch of images, with the operations and magnitudes of torchvision.

Each image draws its own operations. Images that drew the same one are changed together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

import torch
from torch import Generator, Tensor

from ddbench.protocol.augmentation import RandAugment

LEVELS: Final = 31


class Operation(NamedTuple):
    """One operation and its amounts, which rise or fall evenly with the magnitude.

    Attributes:
        last: the amount at the highest magnitude.
        first: the amount at magnitude 0.
        signed: true if half of the images get the negative amount.
        per_pixel: true if the amount is multiplied by the size of the image.
    """

    last: float = 0.0
    first: float = 0.0
    signed: bool = False
    per_pixel: bool = False

    def amount(self, magnitude: int, size: int) -> float:
        """Return the amount for images of ``size`` pixels, rounded to float32 as torchvision's."""
        last = self.last * size if self.per_pixel else self.last
        return float(torch.linspace(self.first, last, LEVELS)[magnitude])


_SHIFT: Final = Operation(150 / 331, signed=True, per_pixel=True)
_ENHANCE: Final = Operation(0.9, signed=True)
OPERATIONS: Final = {
    "Identity": Operation(),
    "ShearX": Operation(0.3, signed=True),
    "ShearY": Operation(0.3, signed=True),
    "TranslateX": _SHIFT,
    "TranslateY": _SHIFT,
    "Rotate": Operation(30, signed=True),
    "Brightness": _ENHANCE,
    "Color": _ENHANCE,
    "Contrast": _ENHANCE,
    "Sharpness": _ENHANCE,
    "Posterize": Operation(4),
    "Solarize": Operation(0, first=1),
    "AutoContrast": Operation(),
    "Equalize": Operation(),
}


def rand_augment(pixels: Tensor, what: RandAugment, rng: Generator) -> Tensor:
    """Return uint8 images ``[n, 3, S, S]`` after ``what.operations`` random operations each.

    The draws are made on the CPU, so they are the same on every device.

    Args:
        pixels: the images, uint8 or float32 from 0 to 255. The operations are defined for bytes, so floats are rounded
            to the nearest ones.
        what: the number of operations and their magnitude.
        rng: the stream of the draws.
    """
    names = tuple(OPERATIONS)
    pixels = pixels.round().clamp(0, 255).to(torch.uint8) if pixels.is_floating_point() else pixels.clone()
    for _ in range(what.operations):
        drawn = torch.randint(len(names), (len(pixels),), generator=rng)
        negative = torch.rand(len(pixels), generator=rng) < 0.5
        for number, name in enumerate(names):
            amount = OPERATIONS[name].amount(what.magnitude, pixels.shape[-1])
            signs = (False, True) if OPERATIONS[name].signed else (None,)
            for minus in signs:
                chosen = drawn == number if minus is None else (drawn == number) & (negative == minus)
                index = chosen.nonzero()[:, 0].to(pixels.device)
                if len(index):
                    pixels[index] = apply(name, pixels[index], -amount if minus else amount)
    return pixels


def apply(name: str, pixels: Tensor, amount: float) -> Tensor:
    """Apply one operation to uint8 images ``[n, 3, S, S]``. Pixels from outside an image are black.

    Args:
        name: the operation.
        pixels: the images.
        amount: the slope of a shear, the pixels of a translation, the degrees of a rotation, or what an enhancement
            adds to its factor of 1. For Posterize it is the number of bits to remove, rounded. Solarize inverts
            pixels above this share of the range.
    """
    # This import takes two seconds, and most trainings do not need it.
    from torchvision.transforms.v2 import functional as F

    affine: Callable[..., Any] = partial(F.affine, angle=0.0, scale=1.0)
    # Shears keep the top left corner in its place.
    shear = partial(affine, pixels, translate=[0, 0], center=[0, 0])
    translate = partial(affine, pixels, shear=[0.0, 0.0])
    slope = math.degrees(math.atan(amount))
    changes: dict[str, Callable[[], Tensor]] = {
        "Identity": lambda: pixels,
        "ShearX": lambda: shear(shear=[slope, 0.0]),
        "ShearY": lambda: shear(shear=[0.0, slope]),
        "TranslateX": lambda: translate(translate=[int(amount), 0]),
        "TranslateY": lambda: translate(translate=[0, int(amount)]),
        "Rotate": lambda: F.rotate(pixels, amount),
        "Brightness": lambda: F.adjust_brightness(pixels, 1 + amount),
        "Color": lambda: F.adjust_saturation(pixels, 1 + amount),
        "Contrast": lambda: F.adjust_contrast(pixels, 1 + amount),
        "Sharpness": lambda: F.adjust_sharpness(pixels, 1 + amount),
        "Posterize": lambda: F.posterize(pixels, 8 - round(amount)),
        "Solarize": lambda: F.solarize(pixels, 255 * amount),
        "AutoContrast": lambda: F.autocontrast(pixels),
        "Equalize": lambda: F.equalize(pixels),
    }
    return changes[name]()
