"""The two normalisation layers of students."""

from __future__ import annotations

from torch import nn

from ._variants import Norm


def norm_layer(norm: Norm, channels: int) -> nn.Module:
    """Return a batch norm, or an affine instance norm as a group norm with one group per channel."""
    return nn.BatchNorm2d(channels) if norm == "batch" else nn.GroupNorm(channels, channels)
