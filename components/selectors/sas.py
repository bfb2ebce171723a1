"""Semantic-aware sampling (SAS)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from ddbench import Chosen, Context, Pool, Selector, component

from ._prototypes import PrototypeParams
from .random import Random

if TYPE_CHECKING:
    from torch import Tensor


@component("selector", "sas", version=1, paper="arXiv:2605.18012")
class SAS(Selector):
    """Semantic-aware sampling: keep images that clearly show their class, and select a diverse subset of them.

    All distances are angles between CLIP embeddings at unit length (Eq. 4). A zero vector has the angle π/2 to all
    others. The margin (Eq. 8) is the angle to the nearest prototype of another class (separation; 0 without another
    class) minus the angle to the sample's own prototype (relevance). Stage 1 keeps the share
    ``p`` of a class with the highest margins: p · n rounded up, and at least IPC. Stage 2 adds these candidates to a
    set one by one. If the set has more than IPC members, the one with the lowest mean angle to the others leaves.

    The paper does not define the ``order`` of candidates, nor which of equally redundant members leaves (``keep``).
    Both defaults are ours. Mean angles within 10⁻⁹ rad are ties. At IPC 1 both members of a pair always tie, so
    ``keep`` decides.

    The switches ``relevance``, ``separation`` and ``diversity`` give the rows of the paper's Table 6, by our reading.
    With relevance or separation alone, that term replaces the margin. Without ``diversity`` the IPC highest scores are
    taken. Diversity alone is stage 2 over the complete class, and ``order: margin`` is then pool order. With all three
    off, the choice is that of the selector ``random``.

    The choice is in descending order of the score. Scores within 10⁻⁹ are ties, which are in pool order.
    """

    class Params(PrototypeParams):
        p: float = Field(0.5, gt=0, le=1, description="share of a class that stage 1 keeps")
        order: Literal["margin", "pool", "random"] = Field(
            "margin", description="order of candidates in stage 2: highest margin first, pool order, or random"
        )
        keep: Literal["earliest", "first-added", "last-added"] = Field(
            "earliest", description="the member to keep among equally redundant ones, by pool order or time of entry"
        )
        relevance: bool = Field(True, description="whether the score contains relevance")
        separation: bool = Field(True, description="whether the score contains separation")
        diversity: bool = Field(True, description="whether stage 2 runs")

    params: Params

    @property
    def seeded(self) -> bool:
        """Return whether the order of candidates, or the choice itself, is drawn."""
        return self.params.order == "random" if self.params.diversity else not self._scored

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the field of image embeddings, unless all switches are off."""
        return (self.params.image_field,) if self._scored or self.params.diversity else ()

    @property
    def needs_class(self) -> tuple[str, ...]:
        """Return the class field of prototypes if images are scored."""
        return (self.params.class_field,) if self._scored else ()

    @property
    def _scored(self) -> bool:
        return self.params.relevance or self.params.separation

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int] | Chosen:
        """Return positions by descending score. Raise ComponentError for missing or unusable embeddings."""
        if not self.needs:
            return Random().select_class(pool, ipc, ctx)
        import torch

        from ._angular import image_rows, ranked

        features = image_rows(pool, self.params.image_field)
        scores = self._scores(pool, features)
        best = ranked(scores)
        if not self.params.diversity:
            return Chosen(best[:ipc].tolist(), scores[best[:ipc]].tolist())
        candidates = best[: self._candidates(len(pool), ipc)]
        kept, exchanges = self._diverse(features, candidates, pool, ipc, ctx)
        chosen = candidates[torch.isin(candidates, kept)]
        info = {"candidates": len(candidates), "exchanges": exchanges}
        return Chosen(chosen.tolist(), scores[chosen].tolist() if self._scored else None, info)

    def _scores(self, pool: Pool, features: Tensor) -> Tensor:
        """Return margins, or the term that is switched on; zeros if both terms are off."""
        from ._angular import margins, prototypes

        relevance, separation = self.params.relevance, self.params.separation
        if not self._scored:
            return features.new_zeros(len(features))
        texts = prototypes(pool, self.params.class_field, features.shape[1])
        return margins(features, texts, int(pool.labels[0]), relevance=relevance, separation=separation)

    def _candidates(self, size: int, ipc: int) -> int:
        """Return the number that stage 1 keeps, with ``p`` as the decimal fraction written: in binary, 0.1 · 30 > 3."""
        share = Fraction(str(self.params.p)) if self._scored else 1
        return max(ipc, math.ceil(share * size))

    def _diverse(self, features: Tensor, candidates: Tensor, pool: Pool, ipc: int, ctx: Context) -> tuple[Tensor, int]:
        """Run stage 2 and return the positions kept and the number of exchanges."""
        import torch

        from ._sas_stage2 import exchange

        order = candidates if self.params.order == "margin" else candidates.sort().values
        if self.params.order == "random":
            drawn = ctx.rng("sas", int(pool.labels[0])).permutation(len(order))
            order = order[torch.from_numpy(drawn)]
        added = torch.arange(len(order))
        precedence = {"earliest": order, "first-added": added, "last-added": -added}
        return exchange(features, order, precedence[self.params.keep], ipc)
