"""The two normalisation layers that students are built with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

if TYPE_CHECKING:
    from ._families import Norm


def norm_layer(norm: Norm, channels: int) -> nn.Module:
    """Instance norm is a group norm with one group a channel: affine, and the same in training and evaluation."""
    return nn.BatchNorm2d(channels) if norm == "batch" else nn.GroupNorm(channels, channels)
