"""What work takes, as far as a component can say without doing it. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

FLOAT = 4  # bytes
COLOURS = 3  # bytes of a pixel
# Forward, and backward once for the activations and once for the weights.
PASSES_OF_TRAINING = 3
# A weight, its gradient, and the optimiser's momentum.
COPIES_IN_TRAINING = 3


@dataclass(frozen=True)
class Cost:
    """What a piece of work takes; None where that is not known, and then neither is the sum with anything.

    Attributes:
        flops: floating point operations of its networks; a multiply-add is two.
        half_flops: those of them in half precision.
        memory_bytes: about the most that its networks and data hold at once.
        disk_bytes: what is stored of it.
    """

    flops: int | None = None
    half_flops: int = 0
    memory_bytes: int | None = None
    disk_bytes: int | None = None

    def __add__(self, other: Cost) -> Cost:
        """Both, one after the other."""
        memory = (self.memory_bytes, other.memory_bytes)
        return Cost(
            flops=_sum(self.flops, other.flops),
            half_flops=self.half_flops + other.half_flops,
            memory_bytes=None if memory[0] is None or memory[1] is None else max(memory[0], memory[1]),
            disk_bytes=_sum(self.disk_bytes, other.disk_bytes),
        )

    def __mul__(self, times: int) -> Cost:
        """The same, so many times over."""
        return Cost(
            flops=None if self.flops is None else self.flops * times,
            half_flops=self.half_flops * times,
            memory_bytes=self.memory_bytes,
            disk_bytes=None if self.disk_bytes is None else self.disk_bytes * times,
        )

    def in_half_precision(self) -> Cost:
        """The same with every operation in half precision."""
        return Cost(self.flops, self.flops or 0, self.memory_bytes, self.disk_bytes)


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


@dataclass(frozen=True)
class NetworkCost:
    """What a network takes.

    Attributes:
        flops: of one image's way through it.
        parameters: numbers that are learnt.
        activations: numbers that the backward pass of one image needs.
        embedding: length of the embedding that its last layer sees.
    """

    flops: int
    parameters: int
    activations: int
    embedding: int

    def forward(self, images: int = 1) -> Cost:
        """One pass of each image."""
        return Cost(self.flops * images)

    def training(self, images: int, epochs: int, batch: int) -> Cost:
        """Training in float32, the images themselves apart.

        The first layer needs no gradient of its input, so that it is up to a twentieth less.
        """
        held = COPIES_IN_TRAINING * self.parameters + min(batch, images) * self.activations
        return Cost(PASSES_OF_TRAINING * self.flops * images * epochs, memory_bytes=FLOAT * held)
