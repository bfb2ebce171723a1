"""Selection of the first samples."""

from __future__ import annotations

from collections.abc import Sequence

from ddbench import Context, Pool, Selector, component


@component("selector", "first", version=1)
class First(Selector):
    """Select the first IPC samples of each class in pool order: the generator alone, without selection."""

    default_pool = "1x"

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        """Return positions 0 … ipc − 1."""
        return range(ipc)
