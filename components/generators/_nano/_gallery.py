"""A picture of samples."""

from __future__ import annotations

from typing import Final

from PIL import Image
from torch import Tensor

from ddbench import Context, Generator

_PER_CLASS: Final = 16
_ENLARGED: Final = 2


def gallery(generator: Generator, classes: int, ctx: Context) -> Image.Image:
    """The first samples of a loaded generator, a row of them for each class."""
    rows = [generator.sample(c, 0, _PER_CLASS, ctx).images for c in range(classes)]
    side = rows[0].shape[-1]
    sheet: Tensor = rows[0].new_zeros(classes * side, _PER_CLASS * side, 3)
    for c, images in enumerate(rows):
        for i, image in enumerate(images):
            sheet[c * side : (c + 1) * side, i * side : (i + 1) * side] = image.permute(1, 2, 0)
    picture = Image.fromarray(sheet.numpy())
    return picture.resize((picture.width * _ENLARGED, picture.height * _ENLARGED), Image.Resampling.NEAREST)
