"""Layers that do the work of several torch layers in one pass."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np
import torch
from torch import Size, Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from ddbench.train.fused import kernels
from ddbench.train.fused.kernels import Array


class FusedNorm(nn.Module):
    """An instance norm followed by a ReLU, an average pool or both; it shares the parameters of ``norm``.

    Input and output are channels-last float32 or bfloat16. All sums are float32.
    """

    def __init__(self, norm: nn.GroupNorm, *, relu: bool, pool: int) -> None:
        super().__init__()
        self.weight, self.bias = norm.weight, norm.bias
        self.eps, self.relu, self.pool = norm.eps, relu, pool

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[n, C, H, W]`` to ``[n, C, H / pool, W / pool]``."""
        floor = 0.0 if self.relu else -math.inf
        return cast("Tensor", _Norm.apply(x, self.weight, self.bias, self.eps, floor, self.pool))

    def extra_repr(self) -> str:
        """Return the settings that ``print(model)`` shows."""
        return f"{len(self.weight)}, relu={self.relu}, pool={self.pool}"


class FusedPool(nn.Module):
    """An average pool over ``pool`` × ``pool`` boxes of channels-last images."""

    def __init__(self, pool: int) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[n, C, H, W]`` to ``[n, C, H / pool, W / pool]``."""
        return cast("Tensor", _Pool.apply(x, self.pool))


class PooledProjection(nn.Module):
    """A 1x1 convolution and an average pool, which commute, with the pool first; it shares the weight of ``conv``."""

    def __init__(self, conv: nn.Conv2d, pool: int) -> None:
        super().__init__()
        self.weight, self.bias, self.groups = conv.weight, conv.bias, conv.groups
        self.pool = FusedPool(pool)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[n, C, H, W]`` to ``[n, D, H / pool, W / pool]``."""
        return F.conv2d(self.pool(x), self.weight, self.bias, groups=self.groups)


def _array(x: Tensor) -> Array:
    """Return a view of ``x [n, C, H, W]`` as ``[n, H, W, C]``, with bfloat16 as its bits."""
    x = x.detach().permute(0, 2, 3, 1)
    return cast("Array", x.view(torch.uint16).numpy() if x.dtype == torch.bfloat16 else x.numpy())


def _last(x: Tensor) -> Tensor:
    return x.contiguous(memory_format=torch.channels_last)


def _empty(shape: Size, dtype: torch.dtype, pool: int = 1) -> Tensor:
    n, channels, height, width = shape
    smaller = (n, channels, height // pool, width // pool)
    return torch.empty(smaller, dtype=dtype, memory_format=torch.channels_last)


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, gamma: Tensor, beta: Tensor, eps: float, floor: float, pool: int) -> Tensor:
        x, out = _last(x), _empty(x.shape, x.dtype, pool)
        mean, inverse = torch.empty(x.shape[:2]), torch.empty(x.shape[:2])
        given = gamma.detach().numpy(), beta.detach().numpy(), np.float32(eps), np.float32(floor), pool
        kernels.norm_forward(_array(x), *given, _array(out), mean.numpy(), inverse.numpy())
        ctx.save_for_backward(x, gamma, beta, mean, inverse)
        ctx.floor, ctx.pool = np.float32(floor), pool
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, gamma, beta, mean, inverse = ctx.saved_tensors
        grad_x, grad_gamma, grad_beta = _empty(x.shape, x.dtype), torch.zeros_like(gamma), torch.zeros_like(beta)
        affine, moments = (gamma.detach().numpy(), beta.detach().numpy()), (mean.numpy(), inverse.numpy())
        gradients = _array(grad_x), grad_gamma.numpy(), grad_beta.numpy()
        kernels.norm_backward(_array(_last(grad)), _array(x), affine, ctx.floor, ctx.pool, moments, gradients)
        return grad_x, grad_gamma, grad_beta, None, None, None


class _Pool(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, pool: int) -> Tensor:
        out = _empty(x.shape, x.dtype, pool)
        kernels.pool_forward(_array(_last(x)), pool, _array(out))
        ctx.shape, ctx.pool = x.shape, pool
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        grad_x = _empty(ctx.shape, grad.dtype)
        kernels.pool_backward(_array(_last(grad)), ctx.pool, _array(grad_x))
        return grad_x, None
