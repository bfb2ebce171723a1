"""Greedy k-centre."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

import ddbench
from ddbench import Context, FieldName, Pool, Selector, component

if TYPE_CHECKING:
    from ._kernels import Rows


@component("selector", "k-center", version=2, paper="arXiv:1708.00489")
class KCenter(Selector):
    """Greedy k-centre: repeatedly select the sample farthest from the chosen ones.

    The start is the sample nearest to the class mean, as in Dataset Condensation (arXiv:2006.05929), or a random one.
    The earlier sample wins a tie. The order of selection is kept, so choices from one pool are nested in IPC.
    ``metric: cosine`` is the Euclidean metric between unit vectors, which orders pairs as the cosine distance does. A
    zero vector stays zero.
    """

    class Params(ddbench.Params):
        field: FieldName = "teacher.embedding"
        metric: Literal["l2", "cosine"] = Field("l2", description="distance of features")
        start: Literal["nearest-mean", "random"] = Field("nearest-mean", description="the first sample")

    params: Params

    @property
    def seeded(self) -> bool:
        """Return whether the start is drawn."""
        return self.params.start == "random"

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        """Return positions in the order of selection. Raise ComponentError for NaN or infinite features."""
        from ._features import class_features
        from ._kernels import farthest_first

        rows = class_features(pool, self.params.field)
        if self.params.metric == "cosine":
            rows = _unit(rows)
        if self.params.start == "random":
            first = int(ctx.rng("k-center", int(pool.labels[0])).integers(len(pool)))
        else:
            first = _nearest_mean(rows)
        chosen: list[int] = farthest_first(rows, first, ipc).tolist()
        return chosen


def _nearest_mean(rows: Rows) -> int:
    """Return the sample nearest to the mean. Rows are scaled by n, since sums are exact more often than means."""
    import numpy as np

    from ._kernels import column_sums, nearest

    return nearest(rows, float(len(rows)), column_sums(rows), np.zeros(len(rows), dtype=bool))


def _unit(rows: Rows) -> Rows:
    """Return rows of unit length, rounded once; zero rows stay zero."""
    import numpy as np

    from ._kernels import squared_distances

    lengths = np.sqrt(squared_distances(rows, np.zeros(rows.shape[1])))
    return (rows / np.where(lengths > 0, lengths, 1)[:, None]).astype(np.float32)
