"""The number of classes of ImageNet-1k."""

from __future__ import annotations

from typing import Final

IMAGENET_CLASSES: Final = 1000
