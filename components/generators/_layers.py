"""Operations and parameters of the layers of U-Nets and VAEs, from their sizes. Torch is not imported here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Layer:
    """A layer.

    Attributes:
        flops: operations on one image; a multiply-add counts as two.
        parameters: number of learned weights.
    """

    flops: int
    parameters: int


def layer(inputs: int, outputs: int, *, kernel: int = 1, side: int = 1) -> Layer:
    """Return a convolution to a map of height and width ``side``; a linear layer has a kernel of 1."""
    weights = kernel**2 * inputs * outputs
    return Layer(2 * weights * side**2, weights + outputs)


def norm(width: int) -> Layer:
    """Return a norm with scale and shift; its operations are not counted."""
    return Layer(0, 2 * width)


def attention(width: int, side: int) -> Iterator[Layer]:
    """Yield the projections to queries, keys, values and back, and the products of each position with every other."""
    yield norm(width)
    for _ in range(4):
        yield layer(width, width, side=side)
    yield Layer(4 * side**4 * width, 0)


def residual(inputs: int, outputs: int, side: int, embedding: int | None = None) -> Iterator[Layer]:
    """Yield two 3x3 convolutions, a linear layer for an embedding, and a 1x1 convolution if the width changes."""
    yield norm(inputs)
    yield layer(inputs, outputs, kernel=3, side=side)
    if embedding is not None:
        yield layer(embedding, outputs)
    yield norm(outputs)
    yield layer(outputs, outputs, kernel=3, side=side)
    if inputs != outputs:
        yield layer(inputs, outputs, side=side)
