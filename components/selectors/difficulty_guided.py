"""Difficulty-guided sampling."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

import ddbench
from ddbench import Chosen, ComponentError, Context, Pool, Selector, component

if TYPE_CHECKING:
    from ._difficulty import Floats, LogTransform, Thresholds

# The released code's tables: samples in each of ten bins, the easiest first, by IPC.
_PRESETS: Mapping[str, Mapping[int, Sequence[int]]] = {
    "hill": {
        10: (1, 0, 1, 0, 3, 3, 1, 0, 0, 1),
        20: (1, 1, 1, 2, 5, 5, 2, 1, 1, 1),
        50: (1, 3, 5, 6, 10, 10, 6, 5, 3, 1),
    },
    "ground": {10: (1,) * 10, 20: (2,) * 10, 50: (5,) * 10},
    "slope": {
        10: (3, 3, 1, 1, 0, 0, 1, 1, 0, 0),
        20: (5, 5, 2, 2, 1, 1, 1, 1, 1, 1),
        50: (10, 10, 6, 6, 5, 5, 3, 3, 1, 1),
    },
    "cliff": {
        10: (6, 3, 0, 1, 0, 0, 0, 0, 0, 0),
        20: (9, 6, 1, 1, 1, 1, 1, 0, 0, 0),
        50: (20, 15, 3, 3, 2, 2, 2, 1, 1, 1),
    },
}


@component("selector", "difficulty-guided", version=1, paper="arXiv:2507.03331")
class DifficultyGuided(Selector):
    """Difficulty-guided sampling: as many easy and hard samples as the real class has, after a logarithmic transform.

    A sample's difficulty is 1 − P(true class), by a softmax over all that the teacher knows, as in the authors' code
    (``columns: classes``: over the data set's classes alone). A transform log(x / lowest) / log(highest / lowest)
    spreads the scores of the class's candidates over [0, 1]. Before it, b of the lowest and t of the highest are
    clipped, with b and t in 0 … IPC/2 − 1 chosen for a histogram of equal bins that is both like the one before the
    transform (``weight``) and uniform (1 − ``weight``). The real images' scores go through the same transform, with b
    and t as counts again; their histogram, scaled to IPC by largest remainder, is each bin's quota. Samples are drawn
    uniformly within a bin. A bin with too few gives all it has, and the deficit is drawn from all that is left.

    ``variant: paper`` is Eq. 6 to 9. Clipped scores become 0 and epsilon is added to all, so that the hardest t count
    as easiest; the divergences are those of the transformed distribution from the other two. The paper leaves open what
    a distribution is: for us the histogram, where epsilon is added to each bin of the one before the transform, as the
    divergence would be infinite for most (b, t). The search range, the quotas' rounding and the draw are the code's.

    ``variant: released`` is the authors' code. Scores are rounded to four decimals; clipped ones become the score at
    the threshold, a lowest of 0 becomes epsilon; the divergences, in bits, are those from the transformed distribution,
    and infinite where it has an empty bin. What is not imitated: the code keeps b and t by the name of the pool's
    folder and uses them again at another IPC.

    ``distribution`` other than ``scale`` is a table of quotas for IPC 10, 20 and 50 in ten bins; at another IPC the
    table of the nearest IPC (the lower of two) is scaled by largest remainder, which is ours. It needs no real images.

    Equal scores are ranked in pool order; equal divergences go to the lowest b, then t, so that b = t = 0 where all are
    infinite; equal remainders go to the easiest bin. Where highest and lowest are equal after clipping, scores stay as
    they are. The choice comes bin by bin, easiest first, then what filled the deficit.
    """

    default_pool = "5x"
    shown = ("variant",)

    class Params(ddbench.Params):
        teacher: str = Field("teacher", description="role of the scorer whose logits give the difficulty")
        columns: Literal["all", "classes"] = Field("all", description="which of the teacher's outputs are considered")
        variant: Literal["paper", "released"] = "paper"
        distribution: Literal["scale", "hill", "ground", "slope", "cliff"] = Field(
            "scale", description="quotas of the bins: scaled from the real images, or a table"
        )
        bins: int = Field(10, ge=1, le=100, description="equal intervals of difficulty; the tables have 10")
        epsilon: float = Field(1e-4, gt=0, lt=1, description="keeps logarithms finite")
        weight: float = Field(0.5, ge=0, le=1, description="lambda: likeness to the pool's histogram over uniformity")

        @model_validator(mode="after")
        def _tables_have_ten_bins(self) -> DifficultyGuided.Params:
            if self.distribution != "scale" and self.bins != 10:
                raise ValueError(f"distribution '{self.distribution}' is a table of 10 bins, not {self.bins}")
            return self

    params: Params

    @property
    def seeded(self) -> bool:
        """Samples are drawn within bins."""
        return True

    @property
    def needs(self) -> tuple[str, ...]:
        """The teacher's logits."""
        return (f"{self.params.teacher}.logits",)

    @property
    def needs_class(self) -> tuple[str, ...]:
        """Which of them is the class's."""
        return (f"{self.params.teacher}.column",)

    @property
    def needs_real(self) -> tuple[str, ...]:
        """The same logits of the real images, unless quotas come from a table."""
        return self.needs if self.params.distribution == "scale" else ()

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Chosen:
        """Positions by bin, with each sample's difficulty. Raises ComponentError for logits of no use."""
        from ._difficulty import LogTransform, apportion, bin_of

        p = self.params
        transform = LogTransform(p.variant, p.bins, p.epsilon, p.weight)
        scores = self._scores(pool)
        found = transform.search(scores, ipc // 2)
        bins = bin_of(transform.apply(scores, found.bottom, found.top), p.bins)
        quota = apportion(self._shape(pool, ipc, transform, found), ipc)
        drawn = ctx.rng("difficulty-guided", int(pool.labels[0])).permutation(len(pool))
        chosen = [int(i) for b in range(p.bins) for i in drawn[bins[drawn] == b][: quota[b]]]
        filled = ipc - len(chosen)
        left = set(range(len(pool))).difference(chosen)
        chosen += [i for i in drawn.tolist() if i in left][:filled]
        info = {
            "bottom": found.bottom,
            "top": found.top,
            "divergence": found.divergence if math.isfinite(found.divergence) else None,
            "quota": quota,
            "available": [int((bins == b).sum()) for b in range(p.bins)],
            "filled": filled,
        }
        return Chosen(chosen, scores[chosen].tolist(), info)

    def _scores(self, own: Pool) -> Floats:
        """Difficulties of a one-class pool as the variant has them."""
        from ._difficulty import difficulties

        scores = difficulties(own, self.params.teacher, self.params.columns)
        return scores.round(4) if self.params.variant == "released" else scores

    def _shape(self, pool: Pool, ipc: int, transform: LogTransform, found: Thresholds) -> Sequence[int]:
        """What the quotas are proportional to: the real class's transformed histogram, or a table."""
        from ._difficulty import histogram

        if self.params.distribution != "scale":
            tables = _PRESETS[self.params.distribution]
            return tables[min(tables, key=lambda known: (abs(known - ipc), known))]
        class_index, real = int(pool.labels[0]), pool.real
        if real is None or not real.by_class[class_index]:
            raise ComponentError(
                f"{self.label()} has no real images of class '{pool.class_names[class_index]}'",
                hint="give the pool its real images, or choose a distribution other than scale",
            )
        scores = self._scores(replace(real.of_class(class_index), class_fields=pool.class_fields))
        counts: list[int] = histogram(transform.apply(scores, found.bottom, found.top), self.params.bins).tolist()
        return counts
