"""Replace layers of a network by fused ones."""

from __future__ import annotations

from typing import TypeGuard, cast

import torch
from torch import nn

from ddbench.train.fused.convolution import Convolution
from ddbench.train.fused.layers import FusedNorm, FusedPool, PooledProjection


def fuse(model: nn.Module) -> nn.Module:
    """Replace the instance norms, pools and convolutions in every ``nn.Sequential`` of ``model`` by fused layers.

    The network computes the same function up to rounding. Parameters keep their names. Other layers stay unchanged.
    """
    # Only the layers of a Sequential are known to be called one after the other.
    for module in [m for m in model.modules() if type(m) is nn.Sequential]:
        layers = list(module)
        index = 0
        while index < len(layers):
            fused, length = _fused(layers[index:])
            if fused is not None:
                module[index] = fused
                for gone in range(index + 1, index + length):
                    module[gone] = nn.Identity()
            index += length
    return model.to(memory_format=torch.channels_last)


def _fused(layers: list[nn.Module]) -> tuple[nn.Module | None, int]:
    """Return a fused layer for the first of these layers, or None, and the number of layers that it replaces."""
    first, pools = layers[0], [_pool(layer) for layer in layers[:3]] + [1, 1]
    if pools[0] > 1:
        return FusedPool(pools[0]), 1
    if _is_projection(first) and pools[1] > 1:
        return PooledProjection(first, pools[1]), 2
    if Convolution.can_stand_for(first):
        return Convolution(cast("nn.Conv2d", first)), 1
    if _is_instance_norm(first):
        relu = type(layers[1]) is nn.ReLU if len(layers) > 1 else False
        pool = pools[1 + relu]
        return FusedNorm(first, relu=relu, pool=pool), 1 + relu + (pool > 1)
    return None, 1


def _is_projection(layer: nn.Module) -> TypeGuard[nn.Conv2d]:
    return type(layer) is nn.Conv2d and all(
        sizes == wanted
        for sizes, wanted in ((layer.kernel_size, (1, 1)), (layer.stride, (1, 1)), (layer.padding, (0, 0)))
    )


def _is_instance_norm(layer: nn.Module) -> TypeGuard[nn.GroupNorm]:
    return (
        type(layer) is nn.GroupNorm
        and layer.num_groups == layer.num_channels
        and layer.affine
        and layer.weight.dtype == torch.float32
    )


def _pool(layer: nn.Module) -> int:
    """Return the box side of an average pool whose boxes do not overlap; 1 for other layers."""
    if type(layer) is not nn.AvgPool2d or layer.padding not in (0, (0, 0)) or layer.ceil_mode:
        return 1
    side, stride = layer.kernel_size, layer.stride
    return side if isinstance(side, int) and stride == side and layer.divisor_override is None else 1
