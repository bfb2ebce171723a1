"""Greedy k-centre."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import ddbench
from ddbench import Context, Pool, Selector, component

if TYPE_CHECKING:
    from torch import Tensor


@component("selector", "k-center", version=1, paper="arXiv:1708.00489")
class KCenter(Selector):
    """Greedy k-centre: repeatedly the sample farthest from those chosen.

    Starts from the sample nearest the class mean (as the authors of Dataset Condensation, arXiv:2006.05929, do) or
    from a random one. Equal distances are decided for the earlier sample; the order of selection is kept, so choices
    from one pool are nested in IPC. ``metric: cosine`` is the Euclidean metric between unit vectors, which orders pairs
    as the cosine distance does; a zero vector stays zero.
    """

    class Params(ddbench.Params):
        field: str = "teacher.embedding"
        metric: Literal["l2", "cosine"] = "l2"
        start: Literal["nearest-mean", "random"] = "nearest-mean"

    params: Params

    @property
    def seeded(self) -> bool:
        """Only where the start is drawn."""
        return self.params.start == "random"

    @property
    def needs(self) -> tuple[str, ...]:
        """The field of features."""
        return (self.params.field,)

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        """Positions in the order chosen. Raises ComponentError for NaN or infinite features."""
        from ._features import class_features, squared_distances

        features = class_features(pool, self.params.field)
        if self.params.metric == "cosine":
            features = _unit(features)
        if self.params.start == "random":
            chosen = [int(ctx.rng("k-center", int(pool.labels[0])).integers(len(pool)))]
        else:
            chosen = [_nearest_mean(features)]
        nearest = squared_distances(features, features[chosen[0]])
        while len(chosen) < ipc:
            # Below every distance: among duplicates all distances are 0, and a chosen sample must not win again.
            nearest[chosen[-1]] = -1
            # numpy's argmax promises the first of equal values, torch's does not.
            chosen.append(int(nearest.numpy().argmax()))
            nearest = nearest.minimum(squared_distances(features, features[chosen[-1]]))
        return chosen


def _nearest_mean(features: Tensor) -> int:
    """The sample nearest the mean. All is scaled by n: a sum is more often exact than a mean, and so are ties."""
    from ._features import squared_distances

    exact = features.double()
    return int(squared_distances(exact * len(exact), exact.sum(0)).numpy().argmin())


def _unit(features: Tensor) -> Tensor:
    """Rows of unit length, rounded once; zero rows stay zero."""
    exact = features.double()
    squares: Tensor = exact.square().sum(1, keepdim=True)
    return (exact / squares.where(squares > 0, 1).sqrt()).float()
