"""The cost of a component's work, estimated without doing the work. Torch is not imported here."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

FLOAT: Final = 4  # bytes
COLOURS: Final = 3  # bytes of a pixel
# One forward pass, and two backward passes: for the activations and for the weights.
PASSES_OF_TRAINING: Final = 3
# A weight, its gradient, and the optimiser's momentum.
COPIES_IN_TRAINING: Final = 3
# Assumed: kernels that a training step launches in addition to the network's, for its batch, loss and optimiser.
LAUNCHES_OF_A_STEP: Final = 40


class Work:
    """The argument of ``Component.cost``: one of the classes in :mod:`ddbench.api.work`."""


@dataclass(frozen=True)
class Cost:
    """The cost of a piece of work. None is an unknown amount; a sum with it is unknown too.

    Attributes:
        flops: floating-point operations of the networks; a multiply-add counts as two.
        half_flops: the part of ``flops`` in half precision.
        memory_bytes: approximate peak memory of networks and data.
        disk_bytes: bytes that are stored.
        launches: lower bound of the kernels that run one after another on a GPU. An image counts its share of its
            batch's kernels.
    """

    flops: int | None = None
    half_flops: int = 0
    memory_bytes: int | None = None
    disk_bytes: int | None = None
    launches: float = 0

    def __add__(self, other: Cost) -> Cost:
        """Return the cost of both pieces of work, one after the other."""
        memory = (self.memory_bytes, other.memory_bytes)
        return Cost(
            flops=_sum(self.flops, other.flops),
            half_flops=self.half_flops + other.half_flops,
            memory_bytes=None if memory[0] is None or memory[1] is None else max(memory[0], memory[1]),
            disk_bytes=_sum(self.disk_bytes, other.disk_bytes),
            launches=self.launches + other.launches,
        )

    def __mul__(self, times: int) -> Cost:
        """Return the cost of the same work done ``times`` times."""
        return Cost(
            flops=None if self.flops is None else self.flops * times,
            half_flops=self.half_flops * times,
            memory_bytes=self.memory_bytes,
            disk_bytes=None if self.disk_bytes is None else self.disk_bytes * times,
            launches=self.launches * times,
        )

    def in_half_precision(self) -> Cost:
        """Return the same cost with every operation in half precision."""
        return replace(self, half_flops=self.flops or 0)


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


@dataclass(frozen=True)
class NetworkCost:
    """The size of a network.

    Attributes:
        flops: operations of one image's forward pass.
        parameters: number of learnt values.
        activations: number of values that the backward pass of one image needs.
        embedding: length of the last layer's input.
        launches: kernels of the forward pass of a batch of any size; 0 if not counted.
    """

    flops: int
    parameters: int
    activations: int
    embedding: int
    launches: int = 0

    def forward(self, images: int = 1, batch: int = 1) -> Cost:
        """Return the cost of one forward pass of each image, in batches of ``batch``."""
        return Cost(self.flops * images, launches=self.launches * images / batch)

    def training(self, images: int, epochs: int, batch: int) -> Cost:
        """Return the cost of a training in float32, without the memory for the images.

        The first layer needs no gradient of its input, so the true cost is up to 5 % lower.
        """
        held = COPIES_IN_TRAINING * self.parameters + min(batch, images) * self.activations
        return Cost(
            PASSES_OF_TRAINING * self.flops * images * epochs,
            memory_bytes=FLOAT * held,
            launches=training_launches(self.launches, epochs * math.ceil(images / batch)),
        )


def training_launches(forward: int, steps: int) -> int:
    """Return the number of kernels of a training.

    Args:
        forward: kernels of the network's forward pass.
        steps: optimiser steps.
    """
    return steps * (PASSES_OF_TRAINING * forward + LAUNCHES_OF_A_STEP)
