"""The generator's own order."""

from __future__ import annotations

from collections.abc import Sequence

from ddbench import Context, Pool, Selector, component


@component("selector", "first", version=1)
class First(Selector):
    """The first samples of each class, in pool order: a generator taken as it is."""

    default_pool = "1x"

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        return range(ipc)
