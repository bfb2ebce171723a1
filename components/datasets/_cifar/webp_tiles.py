"""Small images as tiles of one lossless WebP file, with ``COLUMNS`` tiles in each row."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from torch import Tensor

COLUMNS: Final = 50


def encode_tiles(images: Tensor) -> bytes:
    """Encode uint8 ``[N, 3, S, S]``, N a multiple of ``COLUMNS``, as a lossless WebP file, tiles row by row."""
    from PIL import Image

    count, channels, height, width = images.shape
    tiles = images.reshape(count // COLUMNS, COLUMNS, channels, height, width)
    pixels = tiles.permute(0, 3, 1, 4, 2).reshape(count // COLUMNS * height, COLUMNS * width, channels)
    file = io.BytesIO()
    Image.fromarray(pixels.numpy()).save(file, "WEBP", lossless=True, quality=80, method=4)
    return file.getvalue()


def decode_tiles(content: bytes, size: int) -> Tensor:
    """Return the tiles of such a file, uint8 ``[N, 3, size, size]``. Raise OSError or ValueError for any other file."""
    import numpy as np
    import torch
    from PIL import Image

    with Image.open(io.BytesIO(content)) as file:
        pixels = np.array(file)
    tiles = pixels.reshape(-1, size, COLUMNS, size, 3).transpose(0, 2, 4, 1, 3)
    return torch.from_numpy(np.ascontiguousarray(tiles).reshape(-1, 3, size, size))
