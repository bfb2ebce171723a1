"""Any classification model of timm."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, field_validator

import ddbench
from ddbench import NetworkCost, Student, TrainingData, component

from ._timm_cost import timm_cost

if TYPE_CHECKING:
    from torch import nn

# The smallest network says whether a model takes a size: the number of classes has no part in it.
_CLASSES = 10


@component("student", "timm", version=1, paper="Wightman 2019, PyTorch Image Models")
class Timm(Student):
    """A classification model of timm, trained from random weights: ``{use: timm, model: vit_tiny_patch16_224}``.

    The protocol sets the size of the input, also for a name that ends in a size. Models with a fixed input size, such
    as vision transformers, are built for this size. All other settings are timm's defaults. Published weights are never
    loaded. Results depend on the version of timm, which every record names.
    """

    class Params(ddbench.Params):
        model: str = Field(pattern=r"^[\w.]+$", description="timm's name of the model, without a tag of weights")

        @field_validator("model")
        @classmethod
        def _names_no_weights(cls, name: str) -> str:
            model, tag, _ = name.partition(".")
            if tag:
                raise ValueError(f"a student starts from random weights; write '{model}', without the tag of weights")
            return name

    params: Params

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """Return timm's smallest vision transformer."""
        return {"model": "test_vit"}

    def check_size(self, image_size: int) -> None:
        """Raise ComponentError if timm has no such model, or if it cannot take images of this size.

        timm answers once, and the answer is kept in the data folder. Without timm, every size passes.
        """
        self.network_cost(_CLASSES, image_size)

    def network_cost(self, num_classes: int, image_size: int) -> NetworkCost | None:
        """Return the network's size as torch counts it, or None without timm. The answer is kept as in `check_size`."""
        return timm_cost(self.label(), self.params.model, num_classes, image_size)

    def build(self, num_classes: int, image_size: int, channels: int = 3) -> nn.Module:
        """Return an untrained network for square images. Raise ComponentError if it cannot take this size."""
        from ._timm_network import build

        self.check_size(image_size)
        return build(self.params.model, num_classes, image_size, channels)
