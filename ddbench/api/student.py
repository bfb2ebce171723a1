"""Students: the networks that are trained on a distilled set."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from ddbench.api.component import Component

if TYPE_CHECKING:
    from torch import nn

    from ddbench.api.cost import NetworkCost


class Student(Component):
    """An architecture. Its weights are drawn from torch's global generator, which the trainer seeds."""

    kind: ClassVar[str] = "student"

    @abstractmethod
    def build(self, num_classes: int, image_size: int, channels: int = 3) -> nn.Module:
        """An untrained network; raises ComponentError where it cannot take images of that size."""

    def check_size(self, image_size: int) -> None:
        """Raise ComponentError, before anything runs, where ``build`` would; no torch."""

    def network_cost(self, num_classes: int, image_size: int) -> NetworkCost | None:
        """Return the size of the network for colour images of that size, or None if it is not known; no torch."""
        return None
