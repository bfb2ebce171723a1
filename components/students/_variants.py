"""The norms and variants of students."""

from __future__ import annotations

from typing import Literal, TypeAlias

Norm: TypeAlias = Literal["instance", "batch"]
# Stem and widths of a ResNet, by image size.
Variant: TypeAlias = Literal["cifar", "small", "mid", "large"]
