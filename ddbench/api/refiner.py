"""Refiners: what is done to the chosen images before students see them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from ddbench.api.component import Component

if TYPE_CHECKING:
    from ddbench.api.context import Context
    from ddbench.api.generator import Prior
    from ddbench.api.pool import DistilledSet
    from ddbench.api.scorer import Scorer


class Refiner(Component):
    """Polishes a distilled set.

    Attributes:
        identity: it changes nothing, so no stage is planned for it.
        needs_latents: it works only where the generator keeps latents.
        needs_soft: it works only on sets with soft labels, and is given their teacher.
    """

    kind: ClassVar[str] = "refiner"
    identity: ClassVar[bool] = False
    needs_latents: ClassVar[bool] = False
    needs_soft: ClassVar[bool] = False

    @abstractmethod
    def refine(
        self, distilled: DistilledSet, prior: Prior | None, teacher: Scorer | None, ctx: Context
    ) -> DistilledSet:
        """The polished set: the same samples in the same order."""
