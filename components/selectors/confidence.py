"""The teacher's confidence."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

import ddbench
from ddbench import Chosen, Context, Pool, Selector, component


@component("selector", "confidence", version=1, paper="arXiv:2506.22637")
class Confidence(Selector):
    """The samples that a teacher is most confident of, those it classifies correctly first.

    By default as CaO2 selects: samples whose arg-max is their class, by the largest softmax probability; where there
    are fewer than IPC of them, the wrongly classified follow, by the same. ``score: true-class`` ranks by the
    probability of the sample's own class, which with ``correct_first: false`` is RDED's order (arXiv:2312.03526): the
    cross-entropy, ascending. ``order: least`` turns the order round among the correct and among the wrong.

    Of equal probabilities the earlier sample comes first, of equal logits the first column is the arg-max. Scores are
    the probabilities; ``info`` counts the correct samples of the pool and the wrong ones that were chosen.
    """

    class Params(ddbench.Params):
        teacher: str = Field("teacher", description="role of the scorer whose logits are read")
        score: Literal["max-softmax", "true-class"] = "max-softmax"
        order: Literal["most", "least"] = "most"
        correct_first: bool = True
        columns: Literal["classes", "all"] = "classes"

    params: Params

    @property
    def needs(self) -> tuple[str, ...]:
        """The teacher's logits."""
        return (f"{self.params.teacher}.logits",)

    @property
    def needs_class(self) -> tuple[str, ...]:
        """Which column each class has in them."""
        return (f"{self.params.teacher}.column",)

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Chosen:
        """Positions in the order described. Raises ComponentError for NaN or infinite logits."""
        from ._teacher import class_probabilities

        probabilities, own = class_probabilities(pool, self.params.teacher, self.params.columns)
        exact = probabilities.numpy()
        # numpy's argmax promises the first of equal values, torch's does not.
        correct = (exact.argmax(1) == own).tolist()
        confidence = (exact.max(1) if self.params.score == "max-softmax" else exact[:, own]).tolist()
        sign = -1 if self.params.order == "most" else 1
        ranks = [(self.params.correct_first and not c, sign * p) for c, p in zip(correct, confidence, strict=True)]
        chosen = sorted(range(len(pool)), key=ranks.__getitem__)[:ipc]
        info = {"correct": sum(correct), "wrong_chosen": sum(not correct[i] for i in chosen)}
        return Chosen(chosen, [confidence[i] for i in chosen], info)
