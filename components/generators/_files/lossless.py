"""Read 8-bit RGB images from lossless formats; refuse other files with a hint."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ddbench import DataError

from .content import readable

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FORMATS = ("PNG", "WEBP")
_PNG_BIT_DEPTH = 24  # offset of the bit depth in the header chunk, which comes first


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Return the pixels of a square PNG or lossless WebP, ``[H, W, 3]``.

    Raises:
        DataError: the file cannot be read, is damaged, lossy, not square, not RGB, or has more than 8 bits a channel.
    """
    where = str(path)
    with readable(path):
        data = path.read_bytes()
    try:
        with Image.open(BytesIO(data), formats=_FORMATS) as image:
            image.verify()  # checks the checksums of a PNG, which decoding ignores
        with Image.open(BytesIO(data), formats=_FORMATS) as image:
            pixels = np.asarray(image)
            mode = "RGBA" if "transparency" in image.info else image.mode
            frames, is_png = getattr(image, "n_frames", 1), image.format == "PNG"
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise DataError(f"cannot be decoded ({error})", where=where, hint="make the image again") from None
    if mode != "RGB":
        raise DataError(f"has mode {mode}, not RGB", where=where, hint="convert it to RGB")
    if frames != 1:
        raise DataError(f"is an animation of {frames} frames", where=where, hint="convert it to a still PNG")
    if is_png and data[_PNG_BIT_DEPTH] != 8:
        raise DataError(
            f"has {data[_PNG_BIT_DEPTH]} bits a channel, not 8", where=where, hint="convert it to 8-bit RGB"
        )
    if not is_png and not _is_lossless_webp(data):
        raise DataError("is a lossy WebP", where=where, hint="store pools as PNG or lossless WebP")
    if pixels.shape[0] != pixels.shape[1]:
        raise DataError(
            f"is {pixels.shape[1]} × {pixels.shape[0]}, not square", where=where, hint="crop it to a square"
        )
    return pixels


def _is_lossless_webp(data: bytes) -> bool:
    """Return whether a ``VP8L`` chunk holds the image. Chunks follow the 12-byte RIFF header and have even lengths."""
    at = 12
    while at + 8 <= len(data):
        if data[at : at + 4] in (b"VP8 ", b"VP8L"):
            return data[at : at + 4] == b"VP8L"
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return False
