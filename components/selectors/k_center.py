"""Greedy k-centre."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import ddbench
from ddbench import Context, Pool, Selector, component


@component("selector", "k-center", version=1, paper="arXiv:1708.00489")
class KCenter(Selector):
    """Greedy k-centre: repeatedly add the sample farthest from those chosen.

    Starts at the sample nearest the class mean, or at a random one. Of equally far samples the first in pool order is
    taken. ``cosine`` measures L2 between features scaled to length one, which orders pairs as the angle does.
    """

    class Params(ddbench.Params):
        field: str = "teacher.embedding"
        metric: Literal["l2", "cosine"] = "l2"
        start: Literal["nearest-mean", "random"] = "nearest-mean"

    params: Params

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.params.field,)

    @property
    def seeded(self) -> bool:
        return self.params.start == "random"

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        import torch

        from ._features import distances, features

        points = features(pool, self.params.field)
        if self.params.metric == "cosine":
            points = torch.nn.functional.normalize(points)
        if self.params.start == "random":
            chosen = [int(ctx.rng("start", int(pool.labels[0])).integers(len(points)))]
        else:
            chosen = [int(distances(points, points.double().mean(0).float()).numpy().argmin())]
        nearest = distances(points, points[chosen[0]])
        while len(chosen) < ipc:
            nearest[chosen[-1]] = -1.0
            chosen.append(int(nearest.numpy().argmax()))
            nearest = torch.minimum(nearest, distances(points, points[chosen[-1]]))
        return chosen
