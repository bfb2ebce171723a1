"""The mixed score that SAS is compared with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from pydantic import Field

import ddbench
from ddbench import Chosen, Context, Pool, Selector, component

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

    The choice is in descending order of the score; equal scores are decided for the earlier sample.
    """

    class Params(ddbench.Params):
        image: str = "clip.image"
        text: str = Field("clip.text", description="class field: a prototype a class, embedded as the images are")
        weight: float = Field(0.1, ge=0, description="λ of Eq. 9")
        normalize: Literal["z-score", "min-max"] = "z-score"

    params: Params

    @property
    def needs(self) -> tuple[str, ...]:
        """Image embeddings."""
        return (self.params.image,)

    @property
    def needs_class(self) -> tuple[str, ...]:
        """Prototypes."""
        return (self.params.text,)

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Chosen:
        """Positions by descending score. Raises ComponentError for embeddings that are missing, NaN or do not fit."""
        from ._angular import image_rows, margins, mean_angles, prototypes

        features = image_rows(pool, self.params.image)
        margin = margins(features, prototypes(pool, self.params.text, features.shape[1]), int(pool.labels[0]))
        align = _z_score if self.params.normalize == "z-score" else _min_max
        scores = margin + self.params.weight * align(mean_angles(features), margin)
        chosen = scores.argsort(descending=True, stable=True)[:ipc]
        return Chosen(chosen.tolist(), scores[chosen].tolist())


def _z_score(values: Tensor, like: Tensor) -> Tensor:
    """``values`` with the mean and the standard deviation of ``like``."""
    (mean, deviation), (wanted_mean, wanted_deviation) = _moments(values), _moments(like)
    scale = wanted_deviation / deviation if values.min() < values.max() else 0.0
    return (values - mean) * scale + wanted_mean


def _min_max(values: Tensor, like: Tensor) -> Tensor:
    """``values`` with the smallest and the largest value of ``like``."""
    low, high = float(values.min()), float(values.max())
    wanted_low, wanted_high = float(like.min()), float(like.max())
    scale = (wanted_high - wanted_low) / (high - low) if low < high else 0.0
    return (values - low) * scale + wanted_low


def _moments(values: Tensor) -> tuple[float, float]:
    """Mean and standard deviation; sums are rounded once, so that the order of the pool has no influence."""
    numbers: list[float] = values.tolist()
    mean = math.fsum(numbers) / len(numbers)
    return mean, math.sqrt(math.fsum((x - mean) ** 2 for x in numbers) / len(numbers))
