"""Random selection, and the literature's substitute for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

import ddbench
from ddbench import Context, Pool, Selector, component


@component("selector", "random", version=1)
class Random(Selector):
    """Select IPC random samples of each class, the same for every student and nested in IPC.

    The choice is the first IPC of a permutation of the sorted sample ids. The permutation depends on the selection seed
    and the class, not on the order of the pool. ``order: path`` draws nothing and takes the first IPC sample ids in
    lexicographic order. The released code of Minimax Diffusion (arXiv:2311.15529) calls this random.
    """

    class Params(ddbench.Params):
        order: Literal["permutation", "path"] = Field(
            "permutation", description="the first samples of a random permutation, or by sample id"
        )

    params: Params

    @property
    def seeded(self) -> bool:
        """Return whether a permutation is drawn."""
        return self.params.order == "permutation"

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        """Return positions in the order drawn."""
        by_id = sorted(range(len(pool)), key=pool.sample_ids.__getitem__)
        if self.params.order == "path":
            return by_id[:ipc]
        class_index = int(pool.labels[0])
        drawn = ctx.rng("random", class_index).permutation(len(pool))[:ipc]
        return [by_id[i] for i in drawn.tolist()]
