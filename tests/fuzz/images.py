"""Fuzz the lister and the readers of images: ``python -m tests.fuzz.images --minutes 20 --seed 0``."""

from __future__ import annotations

import io
import os
import random
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

import ddbench
from ddbench import ClassInfo
from tests.fuzz.mutation import main, mutated

_WORDS: Final = [
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n",
    b"%!PS",
    b"RIFF",
    b"WEBP",
    b"VP8L",
    b"IDAT",
    b"tEXt",
    b"acTL",
    b"eXIf",
]
_WORDS_MORE: Final = [b"\xff\xff\xff\xff", b"\0" * 8, b"GIF89a", b"II*\0", b"MM\0*", b"P6\n99999 99999\n255\n", b"BM"]
_NAMES: Final = (
    "x.png",
    "x.jpg",
    "x.gif",
    "x.tif",
    "x.webp",
    "x.bmp",
    "x.ppm",
    "x.heic",
    ".x",
    "Thumbs.db",
    "é.png",
    "x",
)
_CLASSES: Final = ("cat", "dog")


def _samples() -> list[bytes]:
    """Return small pictures of every format and mode."""
    rng = np.random.default_rng(0)
    found = []
    for form, modes in {
        "PNG": ("RGB", "L", "P", "RGBA", "1", "I;16"),
        "JPEG": ("RGB", "L", "CMYK"),
        "GIF": ("P",),
    }.items():
        found += [_saved(rng, form, mode) for mode in modes]
    return [*found, *(_saved(rng, form, "RGB") for form in ("TIFF", "WEBP", "BMP", "PPM"))]


def _saved(rng: np.random.Generator, form: str, mode: str) -> bytes:
    buffer = io.BytesIO()
    pixels = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
    image = (
        Image.fromarray(pixels[:, :, 0].astype("u2") * 200) if mode == "I;16" else Image.fromarray(pixels).convert(mode)
    )
    image.save(buffer, form)
    return buffer.getvalue()


_PICTURES: Final = _samples()


def attempt(rng: random.Random) -> None:
    """List and read a folder with a mutated picture, or with an odd entry, as a data set or as a pool."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for split in ("train", "val"):
            for label in _CLASSES:
                folder = root / split / label
                folder.mkdir(parents=True)
                (folder / "0.png").write_bytes(_PICTURES[0])
        _spoil(root / "train" / rng.choice(_CLASSES), rng)
        os.environ["DDBENCH_DATA"] = str(root / "data")
        if rng.random() < 0.5:
            data = ddbench.create(
                "dataset", "image-folder", path=root, image_size=8, exif=rng.choice(("apply", "ignore"))
            )
            data.survey(lambda part, done, total: None)  # type: ignore[attr-defined]
            data.fingerprint()
            data.train()  # type: ignore[attr-defined]
        else:
            pool = ddbench.create("generator", "folder", path=root / "train")
            pool.fingerprint()
            training = ddbench.TrainingData(
                "pets",
                tuple(map(ClassInfo, _CLASSES)),
                9,
                (0.5,) * 3,
                (0.5,) * 3,
                None,  # type: ignore[arg-type]
            )
            pool.load(None, training, ddbench.Context())
            for index in range(len(_CLASSES)):
                pool.sample_block(index, 0, ddbench.Context())  # type: ignore[attr-defined]


def _spoil(folder: Path, rng: random.Random) -> None:
    """Add an entry to a folder, or change one."""
    target = folder / rng.choice(_NAMES)
    match rng.randrange(8):
        case 0:
            target.symlink_to(rng.choice(("nowhere", target.name, "0.png", "/dev/null", "/dev/zero", "..")))
        case 1:
            os.mkfifo(target)
        case 2:
            target.mkdir()
            (target / rng.choice(_NAMES)).write_bytes(rng.choice(_PICTURES))
        case 3:
            folder.rename(folder.with_name(rng.choice(("Cat", "dog ", "CAT", "d\u0301og", "0", "x"))))
        case _:
            target.write_bytes(mutated(rng.choice(_PICTURES), rng, [*_WORDS, *_WORDS_MORE]))


if __name__ == "__main__":
    main(attempt)
