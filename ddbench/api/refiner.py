"""Refiners: improve the chosen images before students are trained on them."""

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
    """A refiner changes the images of a distilled set.

    Attributes:
        kind: ``refiner``.
        identity: True if the refiner changes nothing; a plan has no stage for it then.
        needs_latents: True if the generator must keep latents.
        needs_soft: True if the set must have soft labels; ``refine`` receives their teacher then.
    """

    kind: ClassVar[str] = "refiner"
    identity: ClassVar[bool] = False
    needs_latents: ClassVar[bool] = False
    needs_soft: ClassVar[bool] = False

    @abstractmethod
    def refine(
        self, distilled: DistilledSet, prior: Prior | None, teacher: Scorer | None, ctx: Context
    ) -> DistilledSet:
        """Return the refined set: the same samples in the same order.

        Args:
            distilled: the chosen images.
            prior: the generative model behind them; None if the generator has none.
            teacher: the scorer that gave the soft labels; None unless ``needs_soft``.
            ctx: seed and device.
        """
