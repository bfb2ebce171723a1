"""Values that the CIFAR data sets share: classes, image size, statistics, image ids."""

from __future__ import annotations

from typing import Final

from ddbench import ClassInfo

PAPER: Final = "Krizhevsky 2009, Learning Multiple Layers of Features from Tiny Images"
LICENCE: Final = "none is stated by its authors"
IMAGE_SIZE: Final = 32
CLASSES: Final = tuple(
    ClassInfo(name)
    for name in ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
)
# The distillation literature normalises with these values. Its standard deviations are means over images.
MEAN: Final = (0.4914, 0.4822, 0.4465)
STD: Final = (0.2023, 0.1994, 0.2010)

_OFFICIAL_SPLIT: Final = {"train": "train", "validation": "test"}


def image_id(split: str, index: int) -> str:
    """Return an image's id, such as ``test-00042``: its original split and its index there."""
    return f"{_OFFICIAL_SPLIT[split]}-{index:05d}"
