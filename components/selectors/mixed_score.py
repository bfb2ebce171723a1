"""The mixed score, a baseline of the SAS paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ddbench import Chosen, Context, Pool, Selector, component

from ._prototypes import PrototypeParams

if TYPE_CHECKING:
    from torch import Tensor


@component("selector", "mixed-score", version=1, paper="arXiv:2605.18012")
class MixedScore(Selector):
    """Select by the sum of SAS's margin and a static diversity, the mean angle to the rest of the class.

    The score (Eq. 9) is margin + ``weight`` · normalised diversity. The margin is that of the selector ``sas``; the
    diversity (Eq. 7) is taken over all candidates of the class. The paper normalises diversity "to align the
    distributions", without details, and uses λ = 0.05, 0.10 and 0.20. The defaults are ours. ``z-score`` gives
    diversity the mean and standard deviation of the class's margins, ``min-max`` their smallest and largest value. If
    all samples are equally diverse, diversity is constant: the mean or the smallest margin.

    The choice is in descending order of the score. Scores within 10⁻⁹ are ties, which the earlier sample wins.
    """

    class Params(PrototypeParams):
        weight: float = Field(0.1, ge=0, description="λ of Eq. 9, the weight of diversity")
        normalize: Literal["z-score", "min-max"] = Field("z-score", description="how diversity is scaled to margins")

    params: Params

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the field of image embeddings."""
        return (self.params.image_field,)

    @property
    def needs_class(self) -> tuple[str, ...]:
        """Return the class field of prototypes."""
        return (self.params.class_field,)

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Chosen:
        """Return positions by descending score. Raise ComponentError for missing or unusable embeddings."""
        from ._angular import image_rows, margins, mean_angles, prototypes, ranked

        features = image_rows(pool, self.params.image_field)
        margin = margins(features, prototypes(pool, self.params.class_field, features.shape[1]), int(pool.labels[0]))
        align = _z_score if self.params.normalize == "z-score" else _min_max
        scores = margin + self.params.weight * align(mean_angles(features), margin)
        chosen = ranked(scores)[:ipc]
        return Chosen(chosen.tolist(), scores[chosen].tolist())


def _z_score(values: Tensor, like: Tensor) -> Tensor:
    """Shift and scale ``values`` to the mean and standard deviation of ``like``."""
    scale = like.std(correction=0) / values.std(correction=0) if _differ(values) else 0.0
    return (values - values.mean()) * scale + like.mean()


def _min_max(values: Tensor, like: Tensor) -> Tensor:
    """Shift and scale ``values`` to the smallest and largest value of ``like``."""
    scale = (like.max() - like.min()) / (values.max() - values.min()) if _differ(values) else 0.0
    return (values - values.min()) * scale + like.min()


def _differ(values: Tensor) -> bool:
    from ._angular import EQUAL

    return bool(values.max() - values.min() > EQUAL)
