"""Convert float images to pixels in [0, 1] before normalisation. Torch is imported inside functions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

from pydantic import Field

import ddbench
from ddbench import DataError
from ddbench.toolkit import wrong_pixels

if TYPE_CHECKING:
    from torch import Tensor

_Three: TypeAlias = tuple[float, float, float]
_Deviation: TypeAlias = Annotated[float, Field(gt=0)]
HINT: Final = "add `pixels: {mean: [R, G, B], std: [R, G, B]}`; for pixels in [0, 1], mean is 0 and std is 1"


class Pixels(ddbench.Params):
    """The normalisation of float images: (pixels in [0, 1] − mean) / std."""

    mean: _Three = Field(description="mean of each channel")
    std: tuple[_Deviation, _Deviation, _Deviation] = Field(description="standard deviation of each channel")


_PLAIN: Final = Pixels(mean=(0, 0, 0), std=(1, 1, 1))


def to_pixels(images: Tensor, normalised: Pixels, where: Path) -> Tensor:
    """Return images, float ``[n, 3, H, W]``, without their normalisation, as float32.

    Raises:
        DataError: a value is not finite or out of range, or the values were never normalised.
    """
    import torch

    mean, std = (torch.tensor(values)[:, None, None] for values in (normalised.mean, normalised.std))
    images = images.float()
    pixels = images if normalised == _PLAIN else images * std + mean  # so that −0 keeps its sign
    if (problem := wrong_pixels(pixels)) is not None:
        raise DataError(problem, where=str(where), hint="correct mean and std of its normalisation")
    if any(normalised.mean) and images.min() >= 0 and images.max() <= 1:
        hint = "use mean 0 and std 1"
        raise DataError("has images within [0, 1], which are not normalised by a mean", where=str(where), hint=hint)
    return pixels
