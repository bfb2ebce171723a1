"""The evaluator that trains a student on a distilled set and measures it on the validation images."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from ddbench import Context, Dataset, DistilledSet, Evaluation, Evaluator, component

if TYPE_CHECKING:
    from torch import nn

    from ddbench import Student
    from ddbench.train.images import ResidentImages
    from ddbench.train.protocol import Protocol


@component("evaluator", "student", version=1)
class StudentEvaluator(Evaluator):
    """Train a student from scratch as a protocol says; its top-1 accuracy on the validation images."""

    sources: ClassVar[tuple[str, ...]] = ("ddbench.train",)

    def evaluate(
        self, distilled: DistilledSet, dataset: Dataset, student: Student, protocol: Protocol, ctx: Context
    ) -> Evaluation:
        """Last and best accuracy over the protocol's evaluations.

        ``details`` holds the accuracy of each class after the last epoch, what was trained (epochs, steps, batch and
        input size, parameters), the last epoch's mean loss, and how many seconds training and measuring took.
        """
        from ddbench.train.images import ResidentImages
        from ddbench.train.trainer import train

        num_classes = len(dataset.classes)
        rules = protocol.for_classes(num_classes)
        size = rules.input_size(dataset.image_size)
        epochs = rules.epochs(math.ceil(len(distilled) / num_classes), num_classes)
        training, validation = (
            ResidentImages.put(
                split.images, split.labels, size=size, mean=dataset.mean, std=dataset.std, device=ctx.device
            )
            for split in (distilled, dataset.validation())
        )
        meter = _Meter(validation, num_classes, frozenset(rules.evaluation_epochs(epochs)), ctx)
        began = time.perf_counter()
        trained = train(lambda: student.build(num_classes, size), training, rules, epochs, ctx, meter)
        seconds = {"train": time.perf_counter() - began - meter.seconds, "measure": meter.seconds}
        details = {
            "class_accuracies": meter.class_accuracies,
            "epochs": epochs,
            "steps": trained.steps,
            "batch_size": rules.batch_size,
            "input_size": size,
            "parameters": sum(p.numel() for p in trained.model.parameters()),
            "train_loss": trained.loss,
            "seconds": seconds,
        }
        return meter.evaluation(details)


@dataclass
class _Meter:
    """Measures the model after each epoch that the protocol wants it measured after."""

    validation: ResidentImages
    num_classes: int
    epochs: frozenset[int]
    ctx: Context
    curve: list[tuple[int, float]] = field(default_factory=list)
    class_accuracies: list[float | None] = field(default_factory=list)
    seconds: float = 0.0

    def __call__(self, epoch: int, model: nn.Module) -> None:
        from ddbench.train.evaluate import class_accuracies, predict

        if epoch not in self.epochs:
            return
        began = time.perf_counter()
        labels = self.validation.labels
        predicted = predict(model, self.validation, self.ctx)
        self.curve.append((epoch, 100 * int((predicted == labels).sum()) / len(labels)))
        self.class_accuracies = class_accuracies(predicted, labels, self.num_classes)
        self.seconds += time.perf_counter() - began

    def evaluation(self, details: dict[str, Any]) -> Evaluation:
        """What the curve says."""
        return Evaluation(
            last=self.curve[-1][1],
            best=max(accuracy for _, accuracy in self.curve),
            evaluations=len(self.curve),
            curve=tuple(self.curve),
            details=details,
        )
