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

# The tables of the released code: samples in each of ten bins, the easiest bin first, by IPC.
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
    """Difficulty-guided sampling: match the real class's shares of easy and hard samples, after a log transform.

    The difficulty of a sample is 1 − P(true class). The softmax covers all outputs of the teacher, as in the authors'
    code; with ``columns: classes`` only the data set's classes. The transform log(x / lowest) / log(highest / lowest)
    spreads the scores of a class's candidates over [0, 1]. The b lowest and t highest scores are clipped first. The
    values of b and t, in 0 … IPC/2 − 1, minimise a divergence. It weighs likeness of the transformed histogram to the
    original one (``weight``) against uniformity (1 − ``weight``).

    The real images' scores get the same transform, with the same counts b and t. Their histogram, scaled to IPC by
    largest remainder, gives the quota of each bin. Samples are drawn uniformly within a bin. If a bin has too few
    samples, all are taken, and the deficit is drawn from all remaining samples.

    ``variant: paper`` follows Eq. 6 to 9. Clipped scores become 0, and epsilon is added to all, so the hardest t
    samples count as easiest. With a large t the choice is close to a random one, so a run warns if t exceeds a quarter
    of the IPC. The divergences are KL(transformed ‖ original) and KL(transformed ‖ uniform). The paper
    does not define a distribution; we use the histogram. We add epsilon to each bin of the original one, since the
    divergence would be infinite for most (b, t). Search range, rounding of quotas and drawing follow the code.

    ``variant: released`` follows the authors' code. Scores are rounded to four decimals. Clipped scores become the
    score at the threshold, and a lowest score of 0 becomes epsilon. The divergences, in bits, are KL(original ‖
    transformed) and KL(uniform ‖ transformed); they are infinite if the transformed histogram has an empty bin. One
    behaviour is not imitated: the code stores b and t by the name of the pool's folder and reuses them at another IPC.

    A ``distribution`` other than ``scale`` is a table of quotas in ten bins for IPC 10, 20 and 50. For another IPC we
    scale the table of the nearest IPC, the lower one in a tie, by largest remainder. Tables need no real images.

    Ties of scores are ranked in pool order. Ties of divergences go to the lowest b, then t, so b = t = 0 if all are
    infinite. Ties of remainders go to the easiest bin. If highest and lowest scores are equal after clipping, scores
    stay unchanged. The choice is ordered by bin, easiest first; samples that fill the deficit come last.
    """

    default_pool = "5x"
    shown = ("variant",)

    class Params(ddbench.Params):
        teacher: str = Field("teacher", description="role of the scorer whose logits give the difficulty")
        columns: Literal["all", "classes"] = Field("all", description="the teacher's outputs in the softmax")
        variant: Literal["paper", "released"] = Field(
            "released", description="the paper's equations or the released code"
        )
        distribution: Literal["scale", "hill", "ground", "slope", "cliff"] = Field(
            "scale", description="quotas of the bins: scaled from the real images, or a table"
        )
        bins: int = Field(10, ge=1, le=100, description="number of equal intervals of difficulty; tables need 10")
        epsilon: float = Field(1e-4, gt=0, lt=1, description="keeps logarithms finite")
        weight: float = Field(0.5, ge=0, le=1, description="lambda, the weight of likeness against uniformity")

        @model_validator(mode="after")
        def _tables_have_ten_bins(self) -> DifficultyGuided.Params:
            if self.distribution != "scale" and self.bins != 10:
                raise ValueError(f"distribution '{self.distribution}' is a table of 10 bins, not {self.bins}")
            return self

    params: Params

    @property
    def seeded(self) -> bool:
        """Return True, because samples are drawn within bins."""
        return True

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the field of the teacher's logits."""
        return (f"{self.params.teacher}.logits",)

    @property
    def needs_class(self) -> tuple[str, ...]:
        """Return the class field with each class's column of the logits."""
        return (f"{self.params.teacher}.column",)

    @property
    def needs_real(self) -> tuple[str, ...]:
        """Return the same field of the real images, unless quotas come from a table."""
        return self.needs if self.params.distribution == "scale" else ()

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Chosen:
        """Return positions ordered by bin, with difficulties as scores. Raise ComponentError for unusable logits."""
        from ._difficulty import LogTransform, apportion, bin_of

        p = self.params
        transform = LogTransform(p.variant, p.bins, p.epsilon, p.weight)
        scores = self._scores(pool)
        found = transform.search(scores, ipc // 2)
        if p.variant == "paper" and 4 * found.top > ipc:
            ctx.log.warning(
                "%s counts more than IPC/4 of a class's hardest samples as its easiest; `variant: released` does not",
                self.label(),
            )
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
        """Return the difficulties of a one-class pool, rounded if the variant rounds."""
        from ._difficulty import difficulties

        scores = difficulties(own, self.params.teacher, self.params.columns)
        return scores.round(4) if self.params.variant == "released" else scores

    def _shape(self, pool: Pool, ipc: int, transform: LogTransform, found: Thresholds) -> Sequence[int]:
        """Return the proportions of the quotas: the real class's transformed histogram, or a table."""
        from ._difficulty import histogram

        if self.params.distribution != "scale":
            tables = _PRESETS[self.params.distribution]
            return tables[min(tables, key=lambda listed: (abs(listed - ipc), listed))]
        class_index, real = int(pool.labels[0]), pool.real
        if real is None or not real.by_class[class_index]:
            raise ComponentError(
                f"{self.label()} has no real images of class '{pool.class_names[class_index]}'",
                hint="give the pool its real images, or choose a distribution other than scale",
            )
        scores = self._scores(replace(real.of_class(class_index), class_fields=pool.class_fields))
        counts: list[int] = histogram(transform.apply(scores, found.bottom, found.top), self.params.bins).tolist()
        return counts
