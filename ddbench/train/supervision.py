"""Labels of a student: classes, cached teacher logits, or a teacher that labels each batch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F

from ddbench.errors import ComponentError
from ddbench.protocol.protocol import Protocol
from ddbench.protocol.sections import Distillation
from ddbench.train.cutmix import Mixed
from ddbench.train.images import ResidentImages, denormalize

Loss: TypeAlias = Callable[[Tensor, Tensor], Tensor]
Teacher: TypeAlias = Callable[[Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Supervision:
    """Labels and the loss that goes with them.

    Attributes:
        labels: one row for each training image, ``[N]`` int64, or a teacher's logits ``[N, C]``.
        loss: mean loss of logits ``[n, C]`` against rows of labels.
        teacher: labels each batch in place of ``labels``, if given.
        second_pass: true if each batch passes through the student twice in training mode.
    """

    labels: Tensor
    loss: Loss
    teacher: Teacher | None = None
    second_pass: bool = False

    def label(self, batch: Mixed, labels: Tensor, data: ResidentImages) -> tuple[Mixed, Tensor]:
        """Return the batch and its labels; a teacher, if there is one, labels the mixed pixels in [0, 1]."""
        if self.teacher is None:
            return batch, labels
        with torch.no_grad():
            logits = self.teacher(denormalize(batch.images, data.mean, data.std)).float()
        return Mixed(batch.images, logits, 1.0), logits


def supervision(data: ResidentImages, protocol: Protocol, teacher: Teacher | None) -> Supervision:
    """Return the labels that ``protocol`` asks for. Raise ComponentError if they are missing."""
    what = protocol.distillation
    if what is None:
        return Supervision(data.labels, F.cross_entropy)
    loss, twice = distillation_loss(what), bool(what.second_pass)
    if what.labels == "dynamic":
        if teacher is None:
            raise ComponentError(
                f"protocol '{protocol.id}' needs a teacher that labels each batch, and there is none",
                hint=f"bind a teaching scorer to the role '{what.teacher}'",
            )
        return Supervision(data.labels, loss, teacher, twice)
    if data.soft is None:
        raise ComponentError(
            f"protocol '{protocol.id}' needs cached soft labels, and the distilled set has none",
            hint="set `labels: {use: soft, teacher: ROLE}`, or choose a protocol with hard labels",
        )
    return Supervision(data.soft, loss, second_pass=twice)


def distillation_loss(what: Distillation) -> Loss:
    """Build the loss KL(teacher || student) of softened logits, times the squared temperature if ``scaled``."""

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        student, teacher = ((t / what.temperature).log_softmax(dim=1) for t in (logits, targets))
        divergence = F.kl_div(student, teacher, reduction="batchmean", log_target=True)
        return divergence * what.temperature**2 if what.scaled else divergence

    return loss
