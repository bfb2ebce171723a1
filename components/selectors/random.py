"""A uniform draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import ddbench
from ddbench import Context, Pool, Selector, component


@component("selector", "random", version=1)
class Random(Selector):
    """The first samples of a seeded permutation of each class: nested in IPC, the same for every student.

    The permutation is of the sorted sample ids, so that the order of a pool does not matter. ``order: path`` takes the
    first ids in lexicographic order instead, which is what released code calls random (0, 1, 10, 11, …).
    """

    class Params(ddbench.Params):
        order: Literal["permutation", "path"] = "permutation"

    params: Params

    @property
    def seeded(self) -> bool:
        return self.params.order == "permutation"

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        by_id = sorted(range(len(pool)), key=lambda i: pool.sample_ids[i])
        if self.params.order == "path":
            return by_id[:ipc]
        shuffled = ctx.rng("random", int(pool.labels[0])).permutation(len(pool))
        return [by_id[i] for i in shuffled[:ipc].tolist()]
