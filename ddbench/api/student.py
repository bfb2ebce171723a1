"""Students: the networks that are trained on a distilled set."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from ddbench.api.component import Component

if TYPE_CHECKING:
    from torch import nn

    from ddbench.api.cost import NetworkCost


class Student(Component):
    """A network architecture. Initial weights come from torch's global generator, which the trainer seeds.

    Attributes:
        kind: ``student``.
    """

    kind: ClassVar[str] = "student"

    @abstractmethod
    def build(self, num_classes: int, image_size: int, channels: int = 3) -> nn.Module:
        """Build an untrained network. Raise ComponentError if it cannot take images of that size."""

    def check_size(self, image_size: int) -> None:
        """Raise ComponentError if ``build`` would fail. It is called before anything runs; do not import torch."""

    def network_cost(self, num_classes: int, image_size: int) -> NetworkCost | None:
        """Return the network's cost for colour images of that size, or None if not known. Do not import torch."""
        return None
