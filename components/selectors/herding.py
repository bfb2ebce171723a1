"""Herding."""

from __future__ import annotations

from collections.abc import Sequence

import ddbench
from ddbench import Context, Pool, Selector, component


@component("selector", "herding", version=1, paper="arXiv:1611.07725")
class Herding(Selector):
    """Herding: repeatedly add the sample that brings the mean of those chosen nearest to the class mean.

    The k-th pick (from 0) is the unused sample nearest, in L2, to (k + 1) · mean − (sum of those chosen); of equally
    near ones the first in pool order.
    """

    class Params(ddbench.Params):
        field: str = "teacher.embedding"

    params: Params

    @property
    def needs(self) -> tuple[str, ...]:
        return (self.params.field,)

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        import torch

        from ._features import distances, features

        points = features(pool, self.params.field).double()
        points = points - points.mean(0)
        target = torch.zeros_like(points[0])
        chosen: list[int] = []
        for _ in range(ipc):
            gap = distances(points, target)
            gap[chosen] = torch.inf
            chosen.append(int(gap.numpy().argmin()))
            target = target - points[chosen[-1]]
        return chosen
