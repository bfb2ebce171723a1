"""A subset of a small ImageNet made by hand, with its files and its images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from ddbench_components.datasets._imagenet.subset import ImagenetSubset
from PIL import Image

from ddbench import ClassInfo, component


@component("dataset", "two-dogs", version=1)
class TwoDogs(ImagenetSubset):
    """Two classes, not in the order of their folders, with a handful of images."""

    classes = (ClassInfo("Samoyed", "n02111889", 258), ClassInfo("beagle", "n02088364", 162))
    train_counts = (4, 3)
    validation_count = 2


# By split and class: each file's number in its name, its width and height, its mode.
TREE = {
    "train/n02111889": [(10, 300, 256, "RGB"), (9, 257, 400, "RGB"), (100, 64, 48, "RGB"), (11, 500, 375, "L")],
    "train/n02088364": [(1, 256, 256, "RGB"), (20, 333, 301, "CMYK"), (3, 1000, 259, "RGB")],
    "val/n02111889": [(7, 320, 280, "RGB"), (30, 280, 320, "RGB")],
    "val/n02088364": [(8, 400, 300, "L"), (6, 261, 263, "RGB")],
    "train/n01440764": [(1, 300, 300, "RGB")],  # of another class
}


def file_name(folder: str, number: int) -> str:
    split, wnid = folder.split("/")
    return f"{wnid}_{number}.JPEG" if split == "train" else f"ILSVRC2012_val_{number:08d}.JPEG"


def by_hand(path: Path) -> torch.Tensor:
    """Resize the shorter side to 256 and the longer in proportion, one side at a time, then crop the centre."""
    with Image.open(path) as image:
        rgb = image.convert("RGB")
    width, height = rgb.size
    new = (256, int(256 * height / width)) if width <= height else (int(256 * width / height), 256)
    rgb = rgb.resize(new, Image.Resampling.BILINEAR)
    left, top = int(round((new[0] - 256) / 2.0)), int(round((new[1] - 256) / 2.0))  # noqa: RUF046
    return torch.from_numpy(np.array(rgb)[top : top + 256, left : left + 256]).permute(2, 0, 1)
