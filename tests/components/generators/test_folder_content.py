"""Images of ``folder``: its fingerprint, and images that it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ddbench_components.generators._files.square_rgb import read_rgb
from PIL import Image
from pool_folders import DOGS, Dogs, folder, loaded, make_pool, pixels, save

from ddbench import Context, DataError


def change_byte(root: Path) -> None:
    save(root / "1" / "0.png", 1234)


def rename_image(root: Path) -> None:
    (root / "1" / "0.png").rename(root / "1" / "7.png")


def rename_class(root: Path) -> None:
    (root / "1").rename(root / "n1")


def add_image(root: Path) -> None:
    save(root / "1" / "5.png", 1)


def swap_images(root: Path) -> None:
    (root / "1" / "0.png").rename(root / "t")
    (root / "1" / "1.png").rename(root / "1" / "0.png")
    (root / "t").rename(root / "1" / "1.png")


@pytest.mark.parametrize("change", [change_byte, rename_image, rename_class, add_image, swap_images])
def test_the_fingerprint_follows_the_content(tmp_path: Path, change: Callable[[Path], None]) -> None:
    make_pool(tmp_path / "pool", ["0", "1", "2"])
    make_pool(tmp_path / "copy", ["0", "1", "2"])
    before = folder(tmp_path / "pool").fingerprint()
    assert folder(tmp_path / "copy").fingerprint() == before
    assert folder(tmp_path / "pool").params.keyed() == {"order": "natural"}
    change(tmp_path / "pool")
    assert folder(tmp_path / "pool").fingerprint() != before


def test_files_that_are_no_images_do_not_count(tmp_path: Path) -> None:
    make_pool(tmp_path, ["0", "1", "2"])
    before = folder(tmp_path).fingerprint()
    for name in ("metadata.jsonl", ".DS_Store", "._0.png"):
        (tmp_path / "1" / name).write_bytes(b"{}")
    assert folder(tmp_path).fingerprint() == before
    assert loaded(tmp_path).sample_block(1, 0, Context()).ids == ("1/0.png", "1/1.png")


def grey(path: Path) -> None:
    Image.fromarray(pixels(0)).convert("L").save(path)


def alpha(path: Path) -> None:
    Image.fromarray(pixels(0)).convert("RGBA").save(path)


def palette(path: Path) -> None:
    Image.fromarray(pixels(0)).convert("P").save(path)


def transparent_colour(path: Path) -> None:
    Image.fromarray(pixels(0)).save(path, transparency=(1, 2, 3))


def not_square(path: Path) -> None:
    Image.fromarray(pixels(0)[:3]).save(path)


def other_size(path: Path) -> None:
    save(path, 0, size=8)


def truncated(path: Path) -> None:
    save(path, 0)
    path.write_bytes(path.read_bytes()[:-30])


def truncated_webp(path: Path) -> None:
    Image.fromarray(pixels(0, 32)).save(path, format="WEBP", lossless=True)
    path.write_bytes(path.read_bytes()[:-500])


def text(path: Path) -> None:
    path.write_text("not an image")


def lossy_webp(path: Path) -> None:
    Image.fromarray(pixels(0)).save(path, format="WEBP", quality=90)


def lossy_webp_with_metadata(path: Path) -> None:
    Image.fromarray(pixels(0)).save(path, format="WEBP", quality=90, icc_profile=b"odd")


def animation(path: Path) -> None:
    frames = [Image.fromarray(pixels(i)) for i in range(2)]
    frames[0].save(path, format="PNG", save_all=True, append_images=frames[1:])


def jpeg_by_content(path: Path) -> None:
    Image.fromarray(pixels(0)).save(path, format="JPEG")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (grey, "has mode L, not RGB; convert it to RGB"),
        (alpha, "has mode RGBA, not RGB; convert it to RGB"),
        (palette, "has mode P, not RGB; convert it to RGB"),
        (transparent_colour, "has mode RGBA, not RGB; convert it to RGB"),
        (not_square, "is 4 × 3, not square"),
        (other_size, "is 8 px large, and the pool's first image 4 px"),
        (truncated, "cannot be decoded"),
        (truncated_webp, "cannot be decoded"),
        (text, "cannot be decoded"),
        (lossy_webp, "is a lossy WebP"),
        (lossy_webp_with_metadata, "is a lossy WebP"),
        (animation, "is an animation of 2 frames"),
        (jpeg_by_content, "is a JPEG by another suffix; rename it to .jpg"),
    ],
)
def test_an_unfit_image_is_named(tmp_path: Path, spoil: Callable[[Path], None], message: str) -> None:
    make_pool(tmp_path, ["0", "1", "2"])
    path = tmp_path / "1" / "1.png"
    spoil(path)
    with pytest.raises(DataError) as error:
        loaded(tmp_path).sample_block(1, 0, Context())
    assert str(error.value).startswith(f"{path}: {message}")


def test_a_16_bit_png_is_refused(tmp_path: Path) -> None:
    """Written by hand: Pillow reads such files, and drops the low byte without a word."""
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes(range(24)) for _ in range(4))
    header = struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    make_pool(tmp_path, ["0", "1", "2"])
    (tmp_path / "1" / "1.png").write_bytes(png)
    with pytest.raises(DataError, match="has 16 bits a channel, not 8"):
        loaded(tmp_path).sample_block(1, 0, Context())


@pytest.mark.parametrize("suffix", ["jpg", "JPG", "jpeg", "jpe", "jfif"])
def test_a_jpeg_is_taken_and_noted(tmp_path: Path, suffix: str) -> None:
    make_pool(tmp_path, ["0", "1", "2"])
    Image.fromarray(pixels(90)).save(tmp_path / "1" / f"2.{suffix}", format="JPEG")
    generator = loaded(tmp_path)
    assert [len(generator.sample_block(c, 0, Context()).notes) for c in range(3)] == [0, 1, 0]
    made = generator.sample_block(1, 0, Context())
    assert made.notes == ("1 of 3 images in '1' are JPEG",)
    with Image.open(tmp_path / "1" / f"2.{suffix}") as picture:
        assert np.array_equal(made.images[2].permute(1, 2, 0).numpy(), np.asarray(picture))


def test_a_turned_jpeg_is_refused(tmp_path: Path) -> None:
    make_pool(tmp_path, ["0", "1", "2"])
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels(90)).save(tmp_path / "1" / "2.jpg", exif=exif)
    with pytest.raises(DataError, match=r"2\.jpg: is turned by its EXIF data; turn the pixels"):
        loaded(tmp_path).sample_block(1, 0, Context())


def test_an_empty_class_is_named(tmp_path: Path) -> None:
    make_pool(tmp_path, ["0", "1"])
    (tmp_path / "2").mkdir()
    with pytest.raises(DataError, match="holds no PNG, WebP or JPEG images") as error:
        folder(tmp_path).available(Dogs())
    assert error.value.where == str(tmp_path / "2")


def test_no_png_that_was_cut_or_has_a_flipped_bit_gives_other_pixels(tmp_path: Path) -> None:
    """Every such file is refused; the exception is the closing chunk of 12 bytes, which holds nothing."""
    path = tmp_path / "0.png"
    save(path, 3)
    whole = path.read_bytes()
    spoilt = [(end, whole[:end]) for end in range(len(whole))]
    for at in range(len(whole)):
        spoilt += [(at, whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]) for bit in range(8)]
    for at, content in spoilt:
        path.write_bytes(content)
        try:
            found = read_rgb(path)
        except DataError:
            continue
        assert at >= len(whole) - 12
        assert (found == pixels(3)).all()


def test_lossless_webp_keeps_every_pixel(tmp_path: Path) -> None:
    for i in range(3):
        save(tmp_path / "0" / f"{i}.webp", i, size=32, lossless=True)
    save(tmp_path / "0" / "3.webp", 3, size=32, lossless=True, icc_profile=b"odd")
    images = loaded(tmp_path, DOGS[:1]).sample_block(0, 0, Context()).images
    for i in range(4):
        assert (images[i].permute(1, 2, 0).numpy() == pixels(i, 32)).all()
