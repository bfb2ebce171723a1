"""Evaluators: how good is a distilled set?"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from ddbench.api.component import Component
from ddbench.api.cost import COLOURS, Cost

if TYPE_CHECKING:
    from ddbench.api.context import Context
    from ddbench.api.dataset import Dataset
    from ddbench.api.pool import DistilledSet
    from ddbench.api.scorer import Scorer
    from ddbench.api.settings import EvaluationSettings
    from ddbench.api.student import Student
    from ddbench.protocol.protocol import Protocol


@dataclass(frozen=True)
class Evaluation:
    """What one training showed. Accuracies are top-1, in percent.

    Attributes:
        last: after the last epoch.
        best: the highest of ``evaluations`` evaluations; a maximum over the validation set, so optimistic. None where
            the suite says ``evaluate: last``.
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

    def cost(
        self,
        ipc: int,
        dataset: Dataset,
        student: Student,
        protocol: Protocol,
        teacher: Scorer | None,
        *,
        evaluation: EvaluationSettings,
        validation_size: int | None,
    ) -> Cost | None:
        """Return what judging a set of ``ipc`` images per class takes; None where that is not known; no torch.

        This is a training as the protocol has it; an evaluator that does something else says something else here.

        Args:
            evaluation: the suite's settings; the numerics ``fast`` count as half precision.
            validation_size: validation images; None where their number is not known.
        """
        classes = len(dataset.classes)
        images = ipc * classes
        rules = protocol.for_classes(classes, ipc)
        size = rules.input_size(dataset.image_size, student.info.name)
        epochs = rules.epochs(ipc, classes)
        network = student.cost(classes, size)
        asked = Cost(flops=0) if teacher is None else teacher.cost(dataset)
        if network is None or asked is None or validation_size is None:
            return None
        times = len(rules.evaluation_epochs(epochs)) if evaluation.evaluate == "papers" else 1
        training = network.training(images, epochs, rules.batch_size)
        held = None
        if teacher is None and training.memory_bytes is not None:
            held = training.memory_bytes + COLOURS * size**2 * (images + validation_size)
        work = training + network.forward(validation_size * times)
        if evaluation.numerics == "fast":
            work = work.in_half_precision()
        return replace(work + asked * (images * epochs), memory_bytes=held, disk_bytes=0)

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
