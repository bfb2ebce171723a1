"""The refiner that does nothing."""

from __future__ import annotations

from ddbench import Context, DistilledSet, Prior, Refiner, Scorer, component


@component("refiner", "none", version=1)
class NoRefiner(Refiner):
    """Leaves the selected images as they are."""

    identity = True

    def refine(
        self, distilled: DistilledSet, prior: Prior | None, teacher: Scorer | None, ctx: Context
    ) -> DistilledSet:
        return distilled
