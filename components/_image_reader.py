"""Open picture files strictly: only listed formats, bounded sizes, and no value that would be clipped."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PIL import Image, ImageOps

from ddbench import DataError
from ddbench.limits import PICTURE_ASPECT, PICTURE_BYTES, PICTURE_PIXELS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Pillow's names.
FORMATS: Final = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
ORIENTATION: Final = 0x0112  # the tag in EXIF data
# A PNG with one of these may have an orientation.
_PNG_EXIF: Final = (b"eXIf", b"Raw profile", b"adobe.xmp")
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
    _check_values(image, where)
    return (ImageOps.exif_transpose(image) if upright else image).convert("RGB")


def decode(path: Path, size: int, *, upright: bool = False) -> NDArray[np.uint8]:
    """Resize the shorter side of a photograph to ``size`` pixels and return the centre crop, uint8 ``[size, size, 3]``.

    Args:
        path: the file.
        size: height and width of the result, in pixels.
        upright: apply the orientation in the EXIF data.

    Raises:
        DataError: the file cannot be decoded, or its values would be changed.
    """
    import numpy as np

    with opened(read_bytes(path), str(path)) as image:
        rgb = to_rgb(image, str(path), upright=upright)
    shorter = min(rgb.size)
    # Round as torchvision does: the longer side down, the crop's corner half to even.
    width, height = (size * side // shorter for side in rgb.size)
    left, top = round((width - size) / 2), round((height - size) / 2)
    resized = rgb.resize((width, height), Image.Resampling.BILINEAR)
    return np.array(resized.crop((left, top, left + size, top + size)))


def examine(path: Path) -> tuple[int, bool]:
    """Decode a photograph; return its smaller side in pixels, and whether EXIF data turn it.

    Raises:
        DataError: the file cannot be decoded, or its values would be changed.
        OSError: the file cannot be read.
    """
    with opened(read_bytes(path), str(path)) as image:
        turned = image.getexif().get(ORIENTATION, 1) != 1
        return min(to_rgb(image, str(path)).size), turned


def is_turned(path: Path) -> bool:
    """Return whether EXIF data turn a photograph. Pixels are decoded only if they may be transparent.

    Raises:
        DataError: ``to_rgb`` would refuse the photograph, except for damage that only decoding finds.
    """
    data = read_bytes(path)
    with opened(data, str(path)) as image:
        _check_values(image, str(path))
        # Pillow decodes a PNG to find its EXIF data, which may follow the pixels.
        bare = image.format == "PNG" and not any(mark in data for mark in _PNG_EXIF)
        return not bare and image.getexif().get(ORIENTATION, 1) != 1


def _check_values(image: Image.Image, where: str) -> None:
    """Raise DataError if a conversion to RGB with 8 bits would lose something."""
    # A telephone's JPEG may hold further pictures (MPO); the first is the photograph.
    frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
    if frames > 1:
        raise DataError(f"holds {frames} pages or frames", where=where, hint="save the one that you mean as a PNG")
    if image.mode not in _MODES or _is_deep(image):
        kind = f"mode {image.mode}" if image.mode not in _MODES else "16 bits"
        raise DataError(f"has values of {kind}, not of 8 bits", where=where, hint="scale it to 8 bits per channel")
    if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema() != (255, 255):
        raise DataError("has transparent pixels", where=where, hint="put it on a background")


def _is_deep(image: Image.Image) -> bool:
    """Return whether a picture in colour has more than 8 bits per channel. Pillow would drop the others."""
    layouts = [tile[3] for tile in getattr(image, "tile", ())]
    if image.format == "PPM":  # with the largest value beside the mode, unless it is 255
        return any(isinstance(layout, tuple) and layout[-1] > 255 for layout in layouts)
    return image.format in ("PNG", "TIFF") and any(";16" in str(layout) for layout in layouts)
