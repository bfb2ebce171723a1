"""Photographs made by hand, and archives of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from handmade_cifar import tarball
from PIL import Image

__all__ = ["jpeg", "photograph", "tarball", "write", "zipped"]


def photograph(seed: int, width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Smooth noise: JPEG changes it little, and no two places in it are alike."""
    shape = (max(2, height // 16), max(2, width // 16), 3)
    small = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return Image.fromarray(small).resize((width, height)).convert(mode)


def jpeg(seed: int, width: int, height: int, mode: str = "RGB") -> bytes:
    """Return a photograph as a JPEG file."""
    file = io.BytesIO()
    photograph(seed, width, height, mode).save(file, "JPEG", quality=90)
    return file.getvalue()


def zipped(folder: str, files: Mapping[str, bytes]) -> bytes:
    """Files below one folder, as a zip archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(f"{folder}/{name}", content)
    return packed.getvalue()


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files, by their names, below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
