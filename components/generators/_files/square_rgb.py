"""Read square 8-bit RGB images from PNG, lossless WebP or JPEG; refuse other files with a hint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ddbench import DataError

from ..._image_reader import ORIENTATION, opened, read_bytes
from .class_folders import LOSSY
from .content import readable

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FORMATS = ("JPEG", "PNG", "WEBP")
_PNG_BIT_DEPTH = 24  # offset of the bit depth in the header chunk, which comes first


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Return the pixels of a square PNG, lossless WebP or JPEG, ``[H, W, 3]``.

    Raises:
        DataError: the file cannot be read, is damaged, a lossy WebP, not square, turned by EXIF data, or not RGB with
            8 bits per channel.
    """
    where = str(path)
    with readable(path):
        data = read_bytes(path)
    with opened(data, where, _FORMATS) as image:
        image.verify()  # checks the checksums of a PNG, which decoding ignores
    with opened(data, where, _FORMATS) as image:
        pixels = np.asarray(image)
        mode = "RGBA" if "transparency" in image.info else image.mode
        frames = getattr(image, "n_frames", 1)
        is_png, is_webp, is_jpeg = (image.format == name for name in ("PNG", "WEBP", "JPEG"))
        turned = image.getexif().get(ORIENTATION, 1) != 1
    if is_jpeg and path.suffix.lower() not in LOSSY:
        raise DataError("is a JPEG by another suffix", where=where, hint="rename it to .jpg, as JPEGs are lossy")
    if turned:
        raise DataError("is turned by its EXIF data", where=where, hint="turn the pixels, and remove the EXIF data")
    if mode != "RGB":
        raise DataError(f"has mode {mode}, not RGB", where=where, hint="convert it to RGB")
    if frames != 1:
        raise DataError(f"is an animation of {frames} frames", where=where, hint="convert it to a still PNG")
    if is_png and data[_PNG_BIT_DEPTH] != 8:
        raise DataError(
            f"has {data[_PNG_BIT_DEPTH]} bits a channel, not 8", where=where, hint="convert it to 8-bit RGB"
        )
    if is_webp and not _is_lossless_webp(data):
        raise DataError("is a lossy WebP", where=where, hint="store pools as PNG, lossless WebP or JPEG")
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
