"""Selectors: a good one, and one that breaks its contract; a refiner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import ddbench
from ddbench import Context, DistilledSet, Pool, Prior, Refiner, Scorer, Selector, component
from ddbench.toolkit import unit_floats


@component("selector", "brightest", version=1)
class Brightest(Selector):
    """The samples with the largest sum of colours; the earlier of equals first."""

    @property
    def needs(self) -> tuple[str, ...]:
        return ("teacher.embedding",)

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        brightness = pool.field("teacher.embedding").sum(1).tolist()
        return sorted(range(len(pool)), key=lambda i: (-brightness[i], i))[:ipc]


@component("selector", "typical", version=1)
class Typical(Selector):
    """The samples nearest to the mean of the real images of their class."""

    @property
    def needs(self) -> tuple[str, ...]:
        return ("teacher.embedding",)

    @property
    def needs_real(self) -> tuple[str, ...]:
        return self.needs

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        assert pool.real is not None
        mean = pool.real.of_class(int(pool.labels[0])).field("teacher.embedding").mean(0)
        distances = (pool.field("teacher.embedding") - mean).square().sum(1).tolist()
        return sorted(range(len(pool)), key=lambda i: (distances[i], i))[:ipc]


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
        return replace(distilled, images=images)


@component("refiner", "doubt", version=1)
class Doubt(Refiner):
    """Darkens what the teacher is not sure of."""

    needs_soft = True

    def refine(
        self, distilled: DistilledSet, prior: Prior | None, teacher: Scorer | None, ctx: Context
    ) -> DistilledSet:
        assert distilled.soft is not None
        assert teacher is not None
        now = teacher.class_logits(unit_floats(distilled.images))
        assert now.shape == distilled.soft.logits.shape
        sure = distilled.soft.probabilities.gather(1, distilled.labels[:, None])[:, 0]
        images = (distilled.images * sure[:, None, None, None]).to(distilled.images.dtype)
        return replace(distilled, images=images)
