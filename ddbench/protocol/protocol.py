"""Protocols: the training and evaluation of a student as versioned, immutable data. Torch is not imported here.

A protocol file is ``NAME@VERSION.yaml``; its name is the protocol's id. A section that a file leaves out is not
applied. It is absent from the protocol's JSON too, so sections added to the model later change no key.
"""

from __future__ import annotations

import hashlib
import json
import re
from fractions import Fraction
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from ddbench.protocol.augmentation import Augmentation
from ddbench.protocol.sections import (
    BatchSizes,
    Count,
    Distillation,
    Epochs,
    MadeWith,
    ManyClasses,
    Number,
    Optimizer,
    Quotient,
    Schedule,
    Section,
    ShareOfEpochs,
    up_to,
)

ID: Final = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*@[1-9][0-9]*$")


class Protocol(Section):
    """The training and evaluation of a student on a distilled set.

    Images are normalised with the data set's mean and standard deviation. Labels are hard without ``distillation``.

    Attributes:
        id: ``name@version``. A version never changes.
        summary: one line of description. It enters no key.
        students: the students that its numbers were published for. Tables name others. They enter no key.
        max_input_size: larger images are resized to this size, in pixels; smaller images keep their size.
        input_size_of: the same by student name.
        validation_resize: with ``8/7``, validation images of 7k pixels are the centre crops of 8k pixels.
        batch_size: the batch size of training; a last, partial batch is kept.
        batch_size_by_ipc: batch sizes by images per class.
        epochs_by_ipc: epochs by images per class.
        evaluations: the number of evaluations, spread evenly; the last one follows the last epoch.
        evaluations_after: the share of the epochs, rounded down, before evaluations begin.
        optimizer: the optimiser.
        schedule: the learning-rate schedule.
        augmentation: the augmentation of training images.
        many_classes: other settings for data sets of many classes.
        distillation: training on a teacher's logits.
        parts: each training image is a grid of this many rows and columns of images, which are trained on instead.
    """

    id: Annotated[str, Field(pattern=ID.pattern)]
    summary: str = Field("", exclude=True)
    students: tuple[MadeWith, ...] = Field((), exclude=True)
    max_input_size: Count
    input_size_of: dict[str, Count] | None = None
    validation_resize: Quotient | None = None
    batch_size: Count
    batch_size_by_ipc: BatchSizes | None = None
    epochs_by_ipc: Epochs
    evaluations: Count
    evaluations_after: ShareOfEpochs | None = None
    optimizer: Optimizer
    schedule: Schedule
    augmentation: Augmentation
    many_classes: ManyClasses | None = None
    distillation: Distillation | None = None
    parts: Annotated[int, Field(ge=2), Number] | None = None

    @field_validator("parts")
    @classmethod
    def _has_labels(cls, parts: int | None, info: ValidationInfo) -> int | None:
        distillation = info.data.get("distillation")
        if parts is not None and distillation is not None and distillation.labels == "cached":
            raise ValueError("the parts of an image have no cached labels; leave out parts, or use other labels")
        return parts

    @property
    def content(self) -> dict[str, Any]:
        """Return all fields that enter keys but the id, as JSON."""
        return self.model_dump(mode="json", exclude={"id"})

    def local(self) -> Protocol:
        """Return the protocol with the id of a local one: a digest of its content, so that its name enters no key."""
        text = json.dumps(self.content, sort_keys=True)
        return self.model_copy(update={"id": f"local-{hashlib.sha256(text.encode()).hexdigest()[:12]}@1"})

    @property
    def is_local(self) -> bool:
        """Return whether the id is that of a local protocol with this content."""
        return self.id.startswith("local-") and self.id == self.local().id

    @property
    def labels(self) -> Literal["hard", "cached", "dynamic"]:
        """Return the kind of labels that students learn from."""
        return "hard" if self.distillation is None else self.distillation.labels

    def training_images(self, stored: int) -> int:
        """Return the number of images of a training on ``stored`` ones."""
        return stored * (self.parts or 1) ** 2

    def input_size(self, image_size: int, student: str | None = None) -> int:
        """Return the input height and width of ``student``, in pixels, for images of ``image_size`` pixels."""
        return min(image_size, (self.input_size_of or {}).get(student or "", self.max_input_size))

    def validation_side(self, input_size: int) -> int:
        """Return the shorter side to which validation images are resized before the centre crop."""
        ratio = Fraction(self.validation_resize or 1)
        return max(input_size, input_size // ratio.denominator * ratio.numerator)

    def epochs(self, ipc: int, num_classes: int) -> int:
        """Return the epochs of a training on ``ipc`` images of each of ``num_classes`` classes."""
        epochs, rule = up_to(self.epochs_by_ipc.up_to, ipc, self.epochs_by_ipc.beyond), self.epochs_by_ipc.shortened
        if rule is None or rule.classes != num_classes:
            return epochs
        return int(Fraction(rule.factor) * epochs) // rule.multiple * rule.multiple

    def evaluation_epochs(self, epochs: int) -> tuple[int, ...]:
        """Return the epochs, counted from 1, after which a training of ``epochs`` epochs is measured."""
        before = int(Fraction(self.evaluations_after or 0) * epochs)
        every = max(1, (epochs - before) // self.evaluations)
        return tuple(sorted({*range(before + every, epochs + 1, every), epochs}))

    def milestones(self, epochs: int) -> tuple[int, ...]:
        """Return the epochs, counted from 1, after which the learning rate drops."""
        return self.schedule.epochs(epochs)

    def restarts(self, epochs: int) -> frozenset[int]:
        """Return the epochs, counted from 1, after which a new optimiser is built."""
        return frozenset(self.milestones(epochs) if self.schedule.restart else ())

    def learning_rate(self, epoch: int, epochs: int) -> float:
        """Return the learning rate in ``epoch``, counted from 1, of a training of ``epochs`` epochs."""
        return self.schedule.rate(self.optimizer.lr, epoch, epochs)

    def for_classes(self, num_classes: int, ipc: int | None = None) -> Protocol:
        """Return the protocol with its optimiser and batch size for that many classes.

        Args:
            num_classes: the number of classes.
            ipc: images per class; without it, ``batch_size_by_ipc`` is ignored.
        """
        optimizer, batch_size = self.optimizer, self.batch_size
        if self.batch_size_by_ipc is not None and ipc is not None:
            batch_size = self.batch_size_by_ipc.size(ipc, num_classes, batch_size)
        rule = self.many_classes
        if rule is not None and num_classes > rule.above:
            optimizer = optimizer.model_copy(update={"lr": rule.lr, "weight_decay": rule.weight_decay})
            batch_size = max(batch_size, rule.least_batch_size)
        return self.model_copy(update={"optimizer": optimizer, "batch_size": batch_size})
