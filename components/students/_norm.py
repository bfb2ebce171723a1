"""The two normalisation layers that students are built with."""

from __future__ import annotations

from torch import nn

from ._variants import Norm


def norm_layer(norm: Norm, channels: int) -> nn.Module:
    """Instance norm is a group norm with one group a channel: affine, and the same in training and evaluation."""
    return nn.BatchNorm2d(channels) if norm == "batch" else nn.GroupNorm(channels, channels)
