"""No refinement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddbench import Context, DistilledSet, Prior, Refiner, component

if TYPE_CHECKING:
    from ddbench import Scorer


@component("refiner", "none", version=1)
class NoRefiner(Refiner):
    """Keep the chosen images unchanged."""

    identity = True

    def refine(
        self, distilled: DistilledSet, prior: Prior | None, teacher: Scorer | None, ctx: Context
    ) -> DistilledSet:
        """Return the same set."""
        return distilled
