"""Herding."""

from __future__ import annotations

from collections.abc import Sequence

import ddbench
from ddbench import Context, FieldName, Pool, Selector, component


@component("selector", "herding", version=2, paper="arXiv:1611.07725")
class Herding(Selector):
    """Herding: each chosen sample pulls the mean of the chosen samples towards the class mean.

    After k samples, the next is the unused one nearest (Euclidean) to (k + 1) · mean − their sum. The earlier sample
    wins a tie. The order of selection is kept, so choices from one pool are nested in IPC.
    """

    class Params(ddbench.Params):
        field: FieldName = "teacher.embedding"

    params: Params

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        """Return positions in the order of selection. Raise ComponentError for NaN or infinite features."""
        import numpy as np

        from ._features import class_features
        from ._int8_screen import cannot_be_nearest, screen
        from ._kernels import column_sums, nearest

        rows = class_features(pool, self.params.field)
        # Everything is scaled by n: sums are exact more often than means, and so are ties. Sums grow, hence float64.
        total, scale = column_sums(rows), float(len(rows))
        target, taken, screened = total.copy(), np.zeros(len(rows), dtype=bool), screen(rows, scale, total)
        chosen: list[int] = []
        while len(chosen) < ipc:
            chosen.append(nearest(rows, scale, target, cannot_be_nearest(screened, total - target, taken)))
            taken[chosen[-1]] = True
            target += total - scale * rows[chosen[-1]].astype(np.float64)
        return chosen
