"""Convolutions whose weight gradient, on small feature maps, is one matrix product."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

# Pixels of a feature map. Measured with AMX, bfloat16, 3x3 kernels and 128 to 512 channels. Relative to the library,
# the product takes 0.1 to 0.3 of the time up to 4x4, 0.4 to 0.75 on 7x7, the same on 8x8 and twice as long on 14x14.
MOST_PIXELS = 49


class Convolution(nn.Module):
    """A convolution that shares the parameters of ``conv``.

    In bfloat16 the library's weight gradient is slow on small feature maps. There, all input patches are laid out and
    multiplied by the gradient of the output.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias = conv.weight, conv.bias
        self.stride, self.padding = conv.stride[0], cast("int", conv.padding[0])

    def forward(self, x: Tensor) -> Tensor:
        """Map ``[n, C, H, W]`` to ``[n, D, H', W']``."""
        height, width = ((side + 2 * self.padding - self.weight.shape[-1]) // self.stride + 1 for side in x.shape[2:])
        if x.dtype != torch.bfloat16 or height * width > MOST_PIXELS:
            return F.conv2d(x, self.weight, self.bias, self.stride, self.padding)
        weight, bias = (None if p is None else p.to(x.dtype) for p in (self.weight, self.bias))
        return cast("Tensor", _Convolution.apply(x, weight, bias, self.stride, self.padding))

    @staticmethod
    def can_stand_for(conv: nn.Module) -> bool:
        """Return whether ``conv`` is a square, symmetric convolution without groups or dilation."""
        return type(conv) is nn.Conv2d and (
            conv.groups == 1
            and conv.dilation == (1, 1)
            and conv.padding_mode == "zeros"
            and all(
                isinstance(sizes, tuple) and sizes[0] == sizes[1]
                for sizes in (conv.kernel_size, conv.stride, conv.padding)
            )
        )


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, padding: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.stride, ctx.padding, ctx.biased = stride, padding, bias is not None
        return F.conv2d(x, weight, bias, stride, padding)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        stride, padding = [ctx.stride] * 2, [ctx.padding] * 2
        grad_x = torch.ops.aten.convolution_backward(
            grad, x, weight, None, stride, padding, [1, 1], False, [0, 0], 1, [True, False, False]
        )[0]
        changes = grad.permute(0, 2, 3, 1).flatten(0, 2)
        product = changes.T @ _patches(x, weight.shape[-1], ctx.stride, ctx.padding, grad.shape[2], grad.shape[3])
        grad_weight = product.view(len(weight), *weight.shape[2:], -1).permute(0, 3, 1, 2)
        return grad_x, grad_weight, changes.sum(0) if ctx.biased else None, None, None


def _patches(x: Tensor, side: int, stride: int, padding: int, rows: int, columns: int) -> Tensor:
    """Return the input patch of each output pixel, ``[n · rows · columns, side · side · C]``."""
    n, channels, height, width = x.shape
    framed = x.new_zeros(n, height + 2 * padding, width + 2 * padding, channels)
    framed[:, padding : padding + height, padding : padding + width] = x.permute(0, 2, 3, 1)
    image, row, column, channel = framed.stride()
    windows = framed.as_strided(
        (n, rows, columns, side, side, channels), (image, stride * row, stride * column, row, column, channel)
    )
    return windows.reshape(n * rows * columns, side * side * channels)
