"""Selection of every sample."""

from __future__ import annotations

from collections.abc import Sequence

from ddbench import Context, Pool, Selector, component


@component("selector", "all", version=1)
class All(Selector):
    """Select every sample of the pool: with the generator ``real``, students are trained on all images.

    Classes may differ in size. The IPC has no effect, so one training serves all IPCs of a suite. A protocol that
    depends on the IPC gets the mean number of images per class, rounded down.
    """

    default_pool = "1x"
    takes_all = True

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int]:
        """Return all positions."""
        return range(len(pool))
