"""The mixed score that SAS is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ddbench import Chosen, Context, Pool, Selector, component

from ._prototypes import PrototypeParams

if TYPE_CHECKING:
    from torch import Tensor


@component("selector", "mixed-score", version=1, paper="arXiv:2605.18012")
class MixedScore(Selector):
    """The highest sums of SAS's margin and a static diversity, the mean angle to the rest of the class.

    Eq. 9: margin + ``weight`` · normalised diversity, with the margin as in the selector ``sas`` and the diversity
    (Eq. 7) taken over the class's whole pool. The paper normalises diversity "to align the distributions" without
    saying how, and weighs it by λ = 0.05, 0.10 and 0.20; the defaults are ours. ``z-score`` brings diversity to the
    mean and standard deviation of the class's margins, ``min-max`` to their smallest and largest value. Where all are
    equally diverse, diversity is the mean, or the smallest, margin throughout: it decides nothing.

    The choice is in descending order of the score; scores within 10⁻⁹ are equal and decided for the earlier sample.
    """

    class Params(PrototypeParams):
        weight: float = Field(0.1, ge=0, description="λ of Eq. 9")
        normalize: Literal["z-score", "min-max"] = "z-score"

    params: Params

    @property
    def needs(self) -> tuple[str, ...]:
        """Image embeddings."""
        return (self.params.image_field,)

    @property
    def needs_class(self) -> tuple[str, ...]:
        """Prototypes."""
        return (self.params.class_field,)

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Chosen:
        """Positions by descending score. Raises ComponentError for embeddings that are missing, NaN or do not fit."""
        from ._angular import image_rows, margins, mean_angles, prototypes, ranked

        features = image_rows(pool, self.params.image_field)
        margin = margins(features, prototypes(pool, self.params.class_field, features.shape[1]), int(pool.labels[0]))
        align = _z_score if self.params.normalize == "z-score" else _min_max
        scores = margin + self.params.weight * align(mean_angles(features), margin)
        chosen = ranked(scores)[:ipc]
        return Chosen(chosen.tolist(), scores[chosen].tolist())


def _z_score(values: Tensor, like: Tensor) -> Tensor:
    """``values`` with the mean and the standard deviation of ``like``."""
    scale = like.std(correction=0) / values.std(correction=0) if _differ(values) else 0.0
    return (values - values.mean()) * scale + like.mean()


def _min_max(values: Tensor, like: Tensor) -> Tensor:
    """``values`` with the smallest and the largest value of ``like``."""
    scale = (like.max() - like.min()) / (values.max() - values.min()) if _differ(values) else 0.0
    return (values - values.min()) * scale + like.min()


def _differ(values: Tensor) -> bool:
    from ._angular import EQUAL

    return bool(values.max() - values.min() > EQUAL)
