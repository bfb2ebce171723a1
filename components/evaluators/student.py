"""The evaluator that trains a student on a distilled set and measures it on the validation images."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from ddbench import Context, Dataset, DistilledSet, Evaluation, Evaluator, component

if TYPE_CHECKING:
    from torch import nn

    from ddbench import Scorer, Student
    from ddbench.train.images import ResidentImages
    from ddbench.train.protocol import Protocol


@component("evaluator", "student", version=1)
class StudentEvaluator(Evaluator):
    """Train a student from scratch as a protocol says; its top-1 accuracy on the validation images.

    A protocol with cached labels wants a distilled set with soft labels, one with dynamic labels a teacher; one with
    hard labels uses neither.
    """

    sources: ClassVar[tuple[str, ...]] = ("ddbench.train",)

    def evaluate(
        self,
        distilled: DistilledSet,
        dataset: Dataset,
        student: Student,
        protocol: Protocol,
        teacher: Scorer | None,
        ctx: Context,
    ) -> Evaluation:
        """The accuracy after the last epoch; at the cadence ``papers`` also the best of the protocol's evaluations.

        ``details`` holds the accuracy of each class after the last epoch, what was trained (labels, epochs, steps,
        batch and input size, parameters), the last epoch's mean loss, and how many seconds training and measuring took.
        """
        from ddbench.train.images import ResidentImages
        from ddbench.train.trainer import train

        num_classes = len(dataset.classes)
        ipc = math.ceil(len(distilled) / num_classes)
        rules = protocol.for_classes(num_classes, ipc)
        size = rules.input_size(dataset.image_size, student.info.name)
        epochs = rules.epochs(ipc, num_classes)
        put = partial(ResidentImages.put, size=size, mean=dataset.mean, std=dataset.std, device=ctx.device)
        soft = None if distilled.soft is None else distilled.soft.logits
        training = put(distilled.images, distilled.labels, soft=soft)
        held_out = dataset.validation()
        validation = put(held_out.images, held_out.labels, side=rules.validation_side(size))
        measured = rules.evaluation_epochs(epochs) if ctx.cadence == "papers" else (epochs,)
        meter = _Meter(validation, num_classes, frozenset(measured), ctx)
        began = time.perf_counter()
        ask = teacher.class_logits if teacher else None
        trained = train(lambda: student.build(num_classes, size), training, rules, epochs, ctx, meter, ask)
        seconds = {"train": time.perf_counter() - began - meter.seconds, "measure": meter.seconds}
        details = {
            "class_accuracies": meter.class_accuracies,
            "labels": rules.labels,
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
            best=max(accuracy for _, accuracy in self.curve) if self.ctx.cadence == "papers" else None,
            evaluations=len(self.curve),
            curve=tuple(self.curve),
            details=details,
        )
