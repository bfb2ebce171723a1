"""Selection by a teacher's confidence."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

import ddbench
from ddbench import Chosen, Context, Pool, Selector, component


@component("selector", "confidence", version=1, paper="arXiv:2506.22637")
class Confidence(Selector):
    """Select the samples with the highest teacher confidence, correctly classified samples first.

    The default is CaO2's rule: samples whose arg-max is their class, by the largest softmax probability, both over all
    outputs of the teacher. With ``columns: classes`` both are over the data set's classes only. If there are fewer
    than IPC correct samples, the wrongly classified follow in the same order. ``score: true-class`` ranks by the
    probability of the true class. With ``correct_first: false`` this is RDED's order (arXiv:2312.03526), ascending
    cross-entropy. ``order: least`` reverses the order among the correct and among the wrong samples.

    The earlier sample wins a tie of probabilities, the first column a tie of logits. Scores are the probabilities.
    ``info`` counts the correct samples of the pool and the wrong samples chosen.
    """

    class Params(ddbench.Params):
        teacher: str = Field("teacher", description="role of the scorer whose logits are read")
        score: Literal["max-softmax", "true-class"] = Field(
            "max-softmax", description="the largest probability, or that of the true class"
        )
        order: Literal["most", "least"] = Field("most", description="the most or the least confident samples first")
        correct_first: bool = Field(True, description="samples that the teacher classifies correctly come first")
        columns: Literal["classes", "all"] = Field("all", description="the teacher's outputs in softmax and arg-max")

    params: Params

    @property
    def needs(self) -> tuple[str, ...]:
        """Return the field of the teacher's logits."""
        return (f"{self.params.teacher}.logits",)

    @property
    def needs_class(self) -> tuple[str, ...]:
        """Return the class field with each class's column of the logits."""
        return (f"{self.params.teacher}.column",)

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Chosen:
        """Return positions in order of confidence. Raise ComponentError for NaN or infinite logits."""
        from ._teacher import class_probabilities

        probabilities, own = class_probabilities(pool, self.params.teacher, self.params.columns)
        exact = probabilities.numpy()
        # numpy's argmax guarantees the first of equal values; torch's does not.
        correct = (exact.argmax(1) == own).tolist()
        confidence = (exact.max(1) if self.params.score == "max-softmax" else exact[:, own]).tolist()
        sign = -1 if self.params.order == "most" else 1
        ranks = [(self.params.correct_first and not c, sign * p) for c, p in zip(correct, confidence, strict=True)]
        chosen = sorted(range(len(pool)), key=ranks.__getitem__)[:ipc]
        info = {"correct": sum(correct), "wrong_chosen": sum(not correct[i] for i in chosen)}
        return Chosen(chosen, [confidence[i] for i in chosen], info)
