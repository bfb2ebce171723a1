"""The evaluator that trains a student on a distilled set and measures it on the validation images."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import ddbench
from ddbench import Context, Dataset, DistilledSet, Evaluation, Evaluator, component, unkeyed

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ddbench import Scorer, Student
    from ddbench.protocol import Protocol
    from ddbench.toolkit import KeptParts
    from ddbench.train import ResidentImages


@component("evaluator", "student", version=2)
class StudentEvaluator(Evaluator):
    """Train a student from scratch by a protocol and measure its top-1 accuracy on the validation images.

    A protocol with ``parts`` trains on the parts of each image. Protocols with cached labels need a distilled set with
    soft labels. Protocols with dynamic labels need a teacher.
    """

    class Params(ddbench.Params):
        checkpoint_seconds: float = unkeyed(
            15.0, ge=0, description="seconds between checkpoints; a stopped training loses at most this much work"
        )

    params: Params
    hashed_modules: ClassVar[tuple[str, ...]] = (
        *("ddbench.train", "ddbench.protocol"),
        *("ddbench.toolkit.checkpoint", "ddbench.toolkit.kept_parts"),
    )

    def evaluate(
        self,
        distilled: DistilledSet,
        dataset: Dataset,
        student: Student,
        protocol: Protocol,
        teacher: Scorer | None,
        ctx: Context,
    ) -> Evaluation:
        """Return the accuracy after the last epoch; with ``evaluate: papers`` also the best of all evaluations.

        ``details`` holds the last accuracy of each class and the last epoch's mean loss. It also holds the labels,
        epochs, steps, batch size, input size and parameters. The rest are the seconds of training and measuring, and
        the epochs after which the training was resumed.
        """
        from ddbench.toolkit import Checkpoint, KeptParts
        from ddbench.train import ResidentImages, train

        num_classes = len(dataset.classes)
        rules = protocol.for_classes(num_classes, distilled.ipc)
        size = rules.input_size(dataset.image_size, student.info.name)
        epochs = rules.epochs(distilled.ipc, num_classes)
        put = partial(ResidentImages.put, size=size, mean=dataset.mean, std=dataset.std, device=ctx.device)
        soft = None if distilled.soft is None else distilled.soft.logits
        training = put(distilled.images, distilled.labels, soft=soft, parts=rules.parts)
        held_out = dataset.validation()
        validation = put(held_out.images, held_out.labels, side=rules.validation_side(size))
        measured = rules.evaluation_epochs(epochs) if ctx.evaluation.evaluate == "papers" else (epochs,)
        kept = KeptParts(ctx, self.params.checkpoint_seconds)
        meter = _Meter(validation, num_classes, frozenset(measured), ctx, kept)
        predict = teacher.class_logits if teacher else None
        checkpoint = Checkpoint.of(ctx, self.params.checkpoint_seconds, meter.notes, meter.recall)
        trained = train(
            lambda: student.build(num_classes, size), training, rules, epochs, ctx, meter, predict, checkpoint
        )
        seconds = {"train": time.perf_counter() - meter.began - meter.seconds, "measure": meter.seconds}
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
            "resumed_after": meter.resumed_after,
        }
        return meter.evaluation(details, meter.predicted(trained.model).tolist())


@dataclass
class _Meter:
    """The measurements of the model after chosen epochs.

    Attributes:
        validation: the validation images.
        num_classes: the number of classes.
        epochs: the epochs, counted from 1, after which the model is measured.
        ctx: device and settings of evaluation.
        kept: keeps the batches of an unfinished measurement.
        curve: epoch and accuracy, in percent, of each measurement.
        class_accuracies: the last accuracy of each class.
        seconds: seconds of measuring.
        began: start of the training, by ``time.perf_counter``.
        epoch: the last epoch.
        resumed_after: the epochs after which the training was resumed, 0 for one that stopped in the first epoch.
        last: the predictions after the last epoch.
    """

    validation: ResidentImages
    num_classes: int
    epochs: frozenset[int]
    ctx: Context
    kept: KeptParts
    curve: list[tuple[int, float]] = field(default_factory=list)
    class_accuracies: list[float | None] = field(default_factory=list)
    seconds: float = 0.0
    began: float = field(default_factory=time.perf_counter)
    epoch: int = 0
    resumed_after: list[int] = field(default_factory=list)
    last: Tensor | None = None

    def notes(self) -> dict[str, Any]:
        """Return the state that a checkpoint stores."""
        return {
            "curve": self.curve,
            "class_accuracies": self.class_accuracies,
            "seconds": self.seconds,
            "elapsed": time.perf_counter() - self.began,
            "resumed_after": [*self.resumed_after, self.epoch],
        }

    def recall(self, notes: dict[str, Any]) -> None:
        """Restore the state of a checkpoint."""
        self.curve = [(epoch, accuracy) for epoch, accuracy in notes["curve"]]
        self.class_accuracies, self.seconds = notes["class_accuracies"], notes["seconds"]
        self.began = time.perf_counter() - notes["elapsed"]
        self.resumed_after = notes["resumed_after"]

    def __call__(self, epoch: int, model: nn.Module) -> None:
        from ddbench.train import class_accuracies

        self.epoch = epoch
        if epoch not in self.epochs:
            return
        began = time.perf_counter()
        labels = self.validation.labels
        self.last = self._predict(model)
        self.curve.append((epoch, 100 * int((self.last == labels).sum()) / len(labels)))
        self.class_accuracies = class_accuracies(self.last, labels, self.num_classes)
        self.seconds += time.perf_counter() - began

    def _predict(self, model: nn.Module) -> Tensor:
        from ddbench.train import predict

        return predict(model, self.validation, self.ctx, self.kept, f"epoch-{self.epoch}")

    def predicted(self, model: nn.Module) -> Tensor:
        """Return the predictions of the trained ``model``. A training resumed after its last epoch makes them again."""
        self.epoch = max(self.epochs)
        return self._predict(model) if self.last is None else self.last

    def evaluation(self, details: dict[str, Any], predictions: list[int]) -> Evaluation:
        """Return the result of the training."""
        return Evaluation(
            last=self.curve[-1][1],
            best=max(accuracy for _, accuracy in self.curve) if self.ctx.evaluation.evaluate == "papers" else None,
            evaluations=len(self.curve),
            curve=tuple(self.curve),
            details=details,
            predictions=predictions,
        )
