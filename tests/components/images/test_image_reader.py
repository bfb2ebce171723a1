"""Pictures are read rightly or refused by name; nothing is clipped in silence."""

from __future__ import annotations

import io
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ddbench_components import _image_reader
from ddbench_components._image_reader import decode, is_turned, opened, to_rgb
from PIL import Image

from ddbench import DataError

RAMP = np.tile(np.linspace(0, 1, 32, dtype="f4"), (32, 1))
GREY = (RAMP * 255).astype("u1")
COLOUR = np.stack([GREY, GREY.T, 255 - GREY], axis=2)
ALPHA = np.dstack([COLOUR, GREY])
INKS = np.dstack([255 - COLOUR, GREY * 0])
PAGES = [Image.fromarray(COLOUR), Image.fromarray(COLOUR[::-1].copy())]


def apng(path: Path) -> None:
    PAGES[0].save(path, save_all=True, append_images=PAGES[1:])


def telephone(path: Path) -> None:
    """Save a JPEG that holds a second picture, as telephones do."""
    first, second = (Image.new("RGB", (32, 32), (grey, grey, grey)) for grey in (200, 9))
    first.save(path, "MPO", save_all=True, append_images=[second])


def deep_png(path: Path) -> None:
    """Write a PNG of RGB with 16 bits by hand. Pillow drops the lower byte."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(range(24)) for _ in range(4))
    header = struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "16-bit.png": (lambda p: Image.fromarray((RAMP * 65535).astype("u2")).save(p), "has values of mode I;16"),
    "16-bit.tif": (lambda p: Image.fromarray((RAMP * 65535).astype("u2")).save(p), "has values of mode I;16"),
    "16-bit-colour.png": (deep_png, "has values of 16 bits, not of 8 bits; scale it"),
    "16-bit-colour.ppm": (lambda p: p.write_bytes(b"P6 1 1 65535\n" + bytes(6)), "has values of 16 bits, not of 8"),
    "10-bit-colour.ppm": (lambda p: p.write_bytes(b"P3 1 1 1023\n1 2 1023\n"), "has values of 16 bits, not of 8 bits"),
    "float.tif": (lambda p: Image.fromarray(RAMP).save(p), "has values of mode F"),
    "int32.tif": (lambda p: Image.fromarray((RAMP * 2**30).astype("i4")).save(p), "has values of mode I"),
    "pages.tif": (lambda p: PAGES[0].save(p, save_all=True, append_images=PAGES[1:]), "holds 2 pages or frames"),
    "animation.gif": (lambda p: PAGES[0].save(p, save_all=True, append_images=PAGES[1:]), "holds 2 pages or frames"),
    "animation.webp": (lambda p: PAGES[0].save(p, save_all=True, append_images=PAGES[1:]), "holds 2 pages or frames"),
    "animation.png": (apng, "holds 2 pages or frames"),
    "alpha.png": (lambda p: Image.fromarray(ALPHA).save(p), "has transparent pixels"),
    "grey-alpha.png": (lambda p: Image.fromarray(ALPHA).convert("LA").save(p), "has transparent pixels"),
    "colour-key.png": (lambda p: Image.fromarray(GREY).save(p, transparency=0), "has transparent pixels"),
    "long.png": (lambda p: Image.new("L", (1, 65_500)).save(p), "is 1 × 65500 px large; at most 150,000,000 pixels"),
    "postscript.png": (
        lambda p: p.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"),
        "cannot be decoded (its format is not one of these: BMP, GIF",
    ),
    "j2k.png": (
        lambda p: p.write_bytes(b"\x00\x00\x00\x0cjP  \r\n\x87\n" + b"\0" * 100),
        "cannot be decoded (its format is not one of these: BMP, GIF",
    ),
    "icon.png": (
        lambda p: Image.fromarray(COLOUR).save(p, format="ICO"),
        "cannot be decoded (its format is not one of these: BMP, GIF",
    ),
    "empty.png": (lambda p: p.write_bytes(b""), "cannot be decoded"),
    "cut.png": (lambda p: p.write_bytes(png(COLOUR)[:-60]), "cannot be decoded"),
}


def png(pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_one_line(tmp_path: Path, name: str) -> None:
    make, words = REFUSED[name]
    make(tmp_path / name)
    with pytest.raises(DataError) as caught:
        decode(tmp_path / name, 32)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / name}: {words}")
    if name != "cut.png":  # decoded later
        with pytest.raises(DataError) as early:
            is_turned(tmp_path / name)
        assert str(early.value) == message
    assert "; " in message
    assert len(message.splitlines()) == 1


def test_postscript_starts_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[object] = []
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **_: started.append(args))
    monkeypatch.setattr(subprocess, "check_call", lambda *args, **_: started.append(args))
    REFUSED["postscript.png"][0](tmp_path / "x.png")
    with pytest.raises(DataError):
        decode(tmp_path / "x.png", 32)
    assert not started


@pytest.mark.parametrize(
    ("name", "make", "expected"),
    [
        ("grey.png", lambda p: Image.fromarray(GREY).save(p), np.stack([GREY] * 3, 2)),
        ("colour.bmp", lambda p: Image.fromarray(COLOUR).save(p), COLOUR),
        ("colour.ppm", lambda p: Image.fromarray(COLOUR).save(p), COLOUR),
        ("palette.gif", lambda p: Image.fromarray(GREY).save(p), np.stack([GREY] * 3, 2)),
        ("opaque.png", lambda p: Image.fromarray(np.dstack([COLOUR, GREY * 0 + 255])).save(p), COLOUR),
        ("bits.png", lambda p: Image.fromarray(GREY > 99).save(p), np.stack([(GREY > 99) * np.uint8(255)] * 3, 2)),
        ("lossless.webp", lambda p: Image.fromarray(COLOUR).save(p, lossless=True), COLOUR),
        ("cmyk.tif", lambda p: Image.fromarray(INKS, "CMYK").save(p), COLOUR),
        ("palette.png", lambda p: Image.fromarray(GREY).convert("P").save(p), np.stack([GREY] * 3, 2)),
        ("telephone.jpg", telephone, np.full((32, 32, 3), 200, "u1")),
        ("named-otherwise.png", lambda p: Image.fromarray(COLOUR).save(p, "BMP"), COLOUR),
    ],
)
def test_read_rightly(
    tmp_path: Path,
    name: str,
    make: Callable[[Path], None],
    expected: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
) -> None:
    make(tmp_path / name)
    assert np.array_equal(decode(tmp_path / name, 32), expected)
    assert not is_turned(tmp_path / name)


@pytest.mark.parametrize("mode", ["RGB", "YCbCr", "CMYK"])
def test_jpegs_of_all_colour_spaces_show_the_picture(tmp_path: Path, mode: str) -> None:
    picture = Image.fromarray(INKS, "CMYK") if mode == "CMYK" else Image.fromarray(COLOUR).convert(mode)
    picture.save(tmp_path / "a.jpg", quality=95)
    assert np.abs(decode(tmp_path / "a.jpg", 32).astype(int) - COLOUR).mean() < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photographs_are_turned_upright(tmp_path: Path, orientation: int) -> None:
    """The camera stores the pixels turned; Pillow's own table of transpositions is the inverse."""
    turned = {
        1: COLOUR, 2: COLOUR[:, ::-1], 3: COLOUR[::-1, ::-1], 4: COLOUR[::-1], 5: COLOUR.transpose(1, 0, 2),
        6: np.rot90(COLOUR, 1), 7: np.rot90(COLOUR, 2).transpose(1, 0, 2), 8: np.rot90(COLOUR, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(turned)).save(tmp_path / "a.png", exif=exif)
    assert np.array_equal(decode(tmp_path / "a.png", 32, upright=True), COLOUR)
    assert np.array_equal(decode(tmp_path / "a.png", 32), turned)
    for name in ("a.png", "a.jpg", "a.tif", "a.webp"):
        Image.fromarray(COLOUR).save(tmp_path / name, exif=exif)
        assert is_turned(tmp_path / name) == (orientation != 1)


def test_sizes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_image_reader, "PICTURE_PIXELS", 32 * 32 - 1)
    with pytest.raises(DataError, match="is 32 × 32 px large"), opened(png(COLOUR), "a.png"):
        pass


def test_an_image_is_given_back_as_rgb() -> None:
    with opened(png(COLOUR), "a.png") as image:
        assert np.array_equal(np.asarray(to_rgb(image, "a.png")), COLOUR)
