"""Sixty photographs of odd kinds, as people have them: good ones in three classes, and some that cannot be used."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("coat", "rain boot", "skirt")
TURNED = 6
# Entries that cannot be used, and the reason.
BAD = {
    "coat/deep.png": "has values of mode I;16, not of 8 bits",
    "coat/glass.png": "has transparent pixels",
    "coat/moving.gif": "holds 2 pages or frames",
    "coat/photo.heic": "is not a picture that ddbench reads",
    "rain boot/gone.jpg": "is a link to nothing",
    "rain boot/more": "is a folder within the folder of a class",
    "skirt/cut.jpg": "cannot be decoded",
    "stray.png": "is not the folder of a class",
}


def picture(label: int, number: int, width: int = 40, height: int = 50) -> Image.Image:
    """Return smooth noise in the colour of a class."""
    small = np.random.default_rng(100 * label + number).integers(0, 90, (4, 3, 3), dtype=np.uint8)
    small[:, :, label] += 120
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def write_good(root: Path) -> int:
    """Write usable pictures of many kinds, with what systems leave beside them. Return their number."""
    for label, name in enumerate(CLASSES):
        own = root / name
        own.mkdir(parents=True)
        for number in range(12):
            picture(label, number, 40 + number, 50).save(own / f"{number}.jpg")
        exif = Image.Exif()
        for number, orientation in enumerate((6, 8)):
            exif[0x0112] = orientation
            picture(label, 20 + number).save(own / f"turned-{orientation}.jpg", exif=exif)
        picture(label, 30).convert("L").save(own / "grey.png")
        picture(label, 31).convert("P").save(own / "palette.png")
        picture(label, 32).convert("CMYK").save(own / "print.tif")
        picture(label, 33, 160, 40).save(own / "wide.webp")
        picture(label, 34).save(own / "CAPITALS.JPEG")
    picture(0, 40, 5, 4).save(root / "coat" / "tiny.png")
    for clutter in ("coat/Thumbs.db", "skirt/.DS_Store", ".DS_Store", "skirt/notes.txt"):
        (root / clutter).write_bytes(b"x")
    return 3 * 19 + 1


def write_bad(root: Path) -> None:
    """Write the entries of BAD beside the good ones."""
    deep = (np.arange(1600).reshape(40, 40) * 40).astype("u2")
    Image.fromarray(deep).save(root / "coat/deep.png")
    glass = picture(0, 50).convert("RGBA")
    glass.putalpha(100)
    glass.save(root / "coat/glass.png")
    picture(0, 51).save(root / "coat/moving.gif", save_all=True, append_images=[picture(0, 52)])
    (root / "coat/photo.heic").write_bytes(b"heic")
    (root / "rain boot/gone.jpg").symlink_to("nowhere.jpg")
    (root / "rain boot/more").mkdir()
    picture(1, 53).save(root / "rain boot/more/1.png")
    (root / "skirt/cut.jpg").write_bytes((root / "skirt/0.jpg").read_bytes()[:-300])
    picture(2, 54).save(root / "stray.png")


def remove_bad(root: Path) -> None:
    """Remove the entries of BAD, as a user does who was told of them."""
    (root / "rain boot/more/1.png").unlink()
    (root / "rain boot/more").rmdir()
    for name in BAD:
        if name != "rain boot/more":
            (root / name).unlink()
