"""Evaluators: measure the quality of a distilled set."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

from ddbench.api.component import Component
from ddbench.api.cost import COLOURS, Cost, Work
from ddbench.api.work import Score, Train

if TYPE_CHECKING:
    from ddbench.api.context import Context
    from ddbench.api.dataset import Dataset
    from ddbench.api.pool import DistilledSet
    from ddbench.api.scorer import Scorer
    from ddbench.api.student import Student
    from ddbench.protocol.protocol import Protocol


# Batch size of predictions on validation images.
PREDICTED_TOGETHER: Final = 32


@dataclass(frozen=True)
class Evaluation:
    """The result of one training. Accuracies are top-1, in percent.

    Attributes:
        last: accuracy after the last epoch.
        best: highest accuracy of all ``evaluations``. It is optimistic, because the validation set selects it. None
            with ``evaluate: last``.
        evaluations: number of times that the student was measured.
        curve: (epoch, accuracy) of each evaluation.
        details: further JSON values to store with the result.
        predictions: the predicted class of each validation image after the last epoch, in the order of
            ``Dataset.validation``; None if the evaluator does not report them. They are stored next to the record.
    """

    last: float
    best: float | None
    evaluations: int
    curve: tuple[tuple[int, float], ...]
    details: Mapping[str, Any] = field(default_factory=dict)
    predictions: Sequence[int] | None = None


class Evaluator(Component):
    """An evaluator trains a student on a distilled set and measures its accuracy.

    Attributes:
        kind: ``evaluator``.
    """

    kind: ClassVar[str] = "evaluator"

    def cost(self, work: Work) -> Cost | None:
        """Return the cost of a training under the protocol. Override it in an evaluator that does other work."""
        if not isinstance(work, Train):
            return None
        classes = len(work.dataset.classes)
        rules = work.protocol.for_classes(classes, work.ipc)
        images = rules.training_images(work.ipc * classes)
        size = rules.input_size(work.dataset.image_size, work.student.info.name)
        epochs = rules.epochs(work.ipc, classes)
        network = work.student.network_cost(classes, size)
        labelling = Cost(flops=0) if work.teacher is None else work.teacher.cost(Score(work.dataset))
        if network is None or labelling is None or work.validation_size is None:
            return None
        times = len(rules.evaluation_epochs(epochs)) if work.evaluation.evaluate == "papers" else 1
        training = network.training(images, epochs, rules.batch_size)
        held = None
        if work.teacher is None and training.memory_bytes is not None:
            held = training.memory_bytes + COLOURS * size**2 * (images + work.validation_size)
        cost = training + network.forward(work.validation_size * times, PREDICTED_TOGETHER)
        if rules.distillation is not None and rules.distillation.second_pass:
            cost += network.forward(images * epochs, rules.batch_size)
        if work.evaluation.numerics == "fast":
            cost = cost.in_half_precision()
        return replace(cost + labelling * (images * epochs), memory_bytes=held, disk_bytes=0)

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
        """Train ``student`` on ``distilled`` under ``protocol``, with the seed ``ctx.seed``, and measure it.

        Args:
            distilled: the training images.
            dataset: the data set, for its validation images.
            student: the network to train.
            protocol: the training protocol.
            teacher: the scorer whose ``class_logits`` label each batch; None if the protocol has no dynamic labels.
            ctx: seed, device and settings.
        """
