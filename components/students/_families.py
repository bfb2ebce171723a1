"""The two families of built-in students: parameters and image sizes. Torch is not imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

import ddbench
from ddbench import ComponentError, NetworkCost, Student

from ._cost import convnet_cost, resnet_cost
from ._variants import Norm, Variant

if TYPE_CHECKING:
    from torch import nn


def _advice(image_size: int) -> str:
    """Return a hint with the literature's ConvNet for this image size; students are never replaced silently."""
    if image_size < 8:
        return "no built-in student accepts images this small"
    return "use 'convnet3'" if image_size <= 32 else "use 'convnet4'"


class ConvNetStudent(Student):
    """A ConvNet of ``depth`` stages, each of which halves the image."""

    class Params(ddbench.Params):
        norm: Norm = Field("instance", description="the normalisation layers")

    params: Params
    depth: ClassVar[int]

    def check_size(self, image_size: int) -> None:
        """Raise ComponentError if the image is too small to be halved ``depth`` times."""
        if image_size >> self.depth:
            return
        needed = 1 << self.depth
        raise ComponentError(
            f"{self.label()} halves images {self.depth} times: it needs at least {needed} px, not {image_size}",
            hint=_advice(image_size),
        )

    def network_cost(self, num_classes: int, image_size: int) -> NetworkCost:
        """Return the network's size, exact except for the operations of norms."""
        return convnet_cost(depth=self.depth, num_classes=num_classes, image_size=image_size)

    def build(self, num_classes: int, image_size: int, channels: int = 3) -> nn.Module:
        """Return an untrained network for square images. Raise ComponentError if they are too small."""
        from ._convnet import convnet

        self.check_size(image_size)
        return convnet(
            depth=self.depth,
            num_classes=num_classes,
            image_size=image_size,
            channels=channels,
            norm=self.params.norm,
        )


class ResNetStudent(Student):
    """A ResNet of four stages with ``blocks`` basic blocks each, shrinking by average pools if ``pooled``."""

    class Params(ddbench.Params):
        norm: Norm = Field("instance", description="the normalisation layers")
        variant: Literal["auto", "cifar", "small", "mid", "large"] = Field(
            "auto", description="stem and widths; 'auto' depends on the image size"
        )

    params: Params
    blocks: ClassVar[int]
    pooled: ClassVar[bool]

    def variant(self, image_size: int) -> Variant:
        """Return the variant of stem and widths for an image size, unless the parameter ``variant`` sets one."""
        if self.params.variant != "auto":
            return self.params.variant
        limits: tuple[tuple[int, Variant], ...] = ((32, "cifar"), (64, "small"), (128, "mid"))
        return next((variant for limit, variant in limits if image_size <= limit), "large")

    def check_size(self, image_size: int) -> None:
        """Raise ComponentError if the last norm would get a single pixel, which it turns into a constant."""
        variant = self.variant(image_size)
        smallest = 16 * {"cifar": 1, "small": 1, "mid": 2, "large": 4}[variant]
        if image_size < smallest:
            raise ComponentError(
                f"{self.label()} with variant '{variant}' needs images of at least {smallest} px, not {image_size}",
                hint="leave 'variant' at 'auto'" if image_size >= 16 else _advice(image_size),
            )

    def network_cost(self, num_classes: int, image_size: int) -> NetworkCost:
        """Return the network's size, exact except for the operations of norms."""
        return resnet_cost(
            blocks=self.blocks,
            pooled=self.pooled,
            variant=self.variant(image_size),
            num_classes=num_classes,
            image_size=image_size,
        )

    def build(self, num_classes: int, image_size: int, channels: int = 3) -> nn.Module:
        """Return an untrained network for square images. Raise ComponentError if they are too small."""
        from ._resnet import resnet

        self.check_size(image_size)
        return resnet(
            blocks=self.blocks,
            pooled=self.pooled,
            variant=self.variant(image_size),
            num_classes=num_classes,
            channels=channels,
            norm=self.params.norm,
        )
