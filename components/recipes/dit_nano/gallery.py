"""An image of samples."""

from __future__ import annotations

from typing import Final

import torch
from PIL import Image
from torchvision.transforms.functional import to_pil_image
from torchvision.utils import make_grid

from ddbench import Context, Generator

_PER_CLASS: Final = 16
_ENLARGED: Final = 2


def gallery(generator: Generator, classes: int, ctx: Context) -> Image.Image:
    """Return an image of the first samples of a loaded generator, one row per class."""
    images = torch.cat([generator.sample(c, 0, _PER_CLASS, ctx).images for c in range(classes)])
    picture: Image.Image = to_pil_image(make_grid(images, nrow=_PER_CLASS, padding=0))
    return picture.resize((picture.width * _ENLARGED, picture.height * _ENLARGED), Image.Resampling.NEAREST)
