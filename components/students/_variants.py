"""The norms and the sizes that students come in."""

from __future__ import annotations

from typing import Literal, TypeAlias

Norm: TypeAlias = Literal["instance", "batch"]
# The stem and the widths of a ResNet, by the size of the images.
Variant: TypeAlias = Literal["cifar", "small", "mid", "large"]
