"""Random choice, and the literature's stand-in for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import ddbench
from ddbench import Context, Pool, Selector, component


@component("selector", "random", version=1)
class Random(Selector):
    """IPC random samples of each class, the same for every student and nested in IPC.

    The first IPC of a permutation, seeded by the selection seed and the class, of the sample ids in lexicographic
    order: the order of the pool has no influence. With ``order: path`` nothing is drawn: the first IPC sample ids in
    lexicographic order are taken, as the released code of Minimax Diffusion (arXiv:2311.15529) does under this name.
    """

    class Params(ddbench.Params):
        order: Literal["permutation", "path"] = "permutation"

    params: Params

    @property
    def seeded(self) -> bool:
        """Only the permutation is."""
        return self.params.order == "permutation"

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        """Positions in the order drawn."""
        by_id = sorted(range(len(pool)), key=pool.sample_ids.__getitem__)
        if self.params.order == "path":
            return by_id[:ipc]
        class_index = int(pool.labels[0])
        drawn = ctx.rng("random", class_index).permutation(len(pool))[:ipc]
        return [by_id[i] for i in drawn.tolist()]
