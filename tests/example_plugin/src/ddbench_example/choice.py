"""Selectors: a good one, and one that breaks its contract; a refiner."""

from __future__ import annotations

from collections.abc import Sequence

import ddbench
from ddbench import Context, DistilledSet, Pool, Prior, Refiner, Scorer, Selector, component


@component("selector", "brightest", version=1)
class Brightest(Selector):
    """The samples with the largest sum of colours; the earlier of equals first."""

    @property
    def needs(self) -> tuple[str, ...]:
        return ("teacher.embedding",)

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        brightness = pool.field("teacher.embedding").sum(1).tolist()
        return sorted(range(len(pool)), key=lambda i: (-brightness[i], i))[:ipc]


@component("selector", "careless", version=1)
class Careless(Selector):
    """The first sample, again and again: what a selector must not do."""

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        return [0] * ipc


@component("refiner", "darken", version=1)
class Darken(Refiner):
    """Halves every pixel."""

    needs_latents = True

    class Params(ddbench.Params):
        factor: float = 0.5

    params: Params

    def refine(
        self, distilled: DistilledSet, prior: Prior | None, teacher: Scorer | None, ctx: Context
    ) -> DistilledSet:
        images = (distilled.images.float() * self.params.factor).to(distilled.images.dtype)
        return DistilledSet(images, distilled.labels, distilled.sample_ids, distilled.latents)
