"""Open picture files strictly: only listed formats, bounded sizes, and no value that would be clipped."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps

from ddbench import DataError
from ddbench.limits import PICTURE_ASPECT, PICTURE_BYTES, PICTURE_PIXELS

# Pillow's names.
FORMATS: Final = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
# Pillow warns of odd metadata, and of sizes that the limits here allow.
warnings.filterwarnings("ignore", module=r"PIL\.")
# Modes with 8 bits or fewer per channel.
_MODES: Final = frozenset(("1", "CMYK", "L", "LA", "LAB", "P", "PA", "RGB", "RGBA", "RGBX", "YCbCr"))


@contextmanager
def opened(data: bytes, where: str, formats: tuple[str, ...] = FORMATS) -> Iterator[Image.Image]:
    """Open a picture from the bytes of its file. Raise DataError for any error of Pillow while it is open.

    Args:
        data: the bytes.
        where: the file, for messages.
        formats: Pillow's names of the accepted formats. No other decoder sees the bytes.
    """
    try:
        with Image.open(BytesIO(data), formats=formats) as image:
            _check_size(image, where)
            yield image
    except DataError:
        raise
    except Exception as error:  # Pillow raises many kinds for damaged files
        why = " ".join(str(error).split()) or type(error).__name__
        why = "its format is not one of these: " + ", ".join(formats) if "BytesIO" in why else why
        hint = "replace it by an undamaged image, or remove it"
        raise DataError(f"cannot be decoded ({why})", where=where, hint=hint) from None


def _check_size(image: Image.Image, where: str) -> None:
    """Raise DataError for a picture with very many pixels, or a very long one."""
    width, height = image.size
    shorter, longer = sorted(image.size)
    if shorter < 1 or shorter * longer > PICTURE_PIXELS or longer > PICTURE_ASPECT * shorter:
        raise DataError(
            f"is {width} × {height} px large; at most {PICTURE_PIXELS:,} pixels and sides of {PICTURE_ASPECT} to 1 are "
            "allowed",
            where=where,
            hint="crop it",
        )


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file. Raise DataError if it is larger than the limit, OSError if it cannot be read."""
    with path.open("rb") as file:
        data = file.read(PICTURE_BYTES + 1)
    if len(data) > PICTURE_BYTES:
        raise DataError(f"is larger than {PICTURE_BYTES // 2**20} MiB", where=str(path), hint="make it smaller")
    return data


def to_rgb(image: Image.Image, where: str, *, upright: bool = False) -> Image.Image:
    """Return a photograph as RGB with 8 bits per channel.

    Args:
        image: an open picture.
        where: the file, for messages.
        upright: apply the orientation in its EXIF data.

    Raises:
        DataError: it has more than 8 bits per channel, transparent pixels, or several pages.
    """
    # A telephone's JPEG may hold further pictures (MPO); the first is the photograph.
    frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    if frames > 1:
        raise DataError(f"holds {frames} pages or frames", where=where, hint="save the one that you mean as a PNG")
    if image.mode not in _MODES:
        raise DataError(
            f"has values of mode {image.mode}, not of 8 bits", where=where, hint="scale it to 8 bits per channel"
        )
    if upright:
        image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):
            raise DataError("has transparent pixels", where=where, hint="put it on a background")
    return image.convert("RGB")
