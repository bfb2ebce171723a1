"""Evaluators: how good is a distilled set?"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from ddbench.api.component import Component

if TYPE_CHECKING:
    from ddbench.api.context import Context
    from ddbench.api.dataset import Dataset
    from ddbench.api.pool import DistilledSet
    from ddbench.api.scorer import Scorer
    from ddbench.api.student import Student
    from ddbench.train.protocol import Protocol


@dataclass(frozen=True)
class Evaluation:
    """What one training showed. Accuracies are top-1, in percent.

    Attributes:
        last: after the last epoch.
        best: the highest of ``evaluations`` evaluations; a maximum over the validation set, so optimistic. None where
            the cadence is ``last``.
        evaluations: how often the student was measured.
        curve: (epoch, accuracy) of each evaluation.
        details: further JSON values worth keeping.
    """

    last: float
    best: float | None
    evaluations: int
    curve: tuple[tuple[int, float], ...]
    details: Mapping[str, Any] = field(default_factory=dict)


class Evaluator(Component):
    """Judges a distilled set by what a student learns from it."""

    kind: ClassVar[str] = "evaluator"

    @abstractmethod
    def evaluate(
        self,
        distilled: DistilledSet,
        dataset: Dataset,
        student: Student,
        protocol: Protocol,
        teacher: Scorer | None,
        ctx: Context,
    ) -> Evaluation:
        """Train ``student`` on ``distilled`` as ``protocol`` says, seeded by ``ctx.seed``, and measure it.

        Args:
            teacher: whose ``class_logits`` label each batch, where the protocol has its labels made while training.
        """
