"""The two normalisation layers of students."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from ._families import Norm


def norm_layer(norm: Norm, channels: int) -> nn.Module:
    """Return a batch norm, or an affine instance norm as a group norm with one group per channel."""
    return nn.BatchNorm2d(channels) if norm == "batch" else nn.GroupNorm(channels, channels)
