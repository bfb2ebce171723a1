"""What a student learns from: classes, a teacher's logits kept with the images, or what one says of each batch."""

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
        labels: a row for each training image: ``[N]`` int64, or a teacher's logits ``[N, C]``.
        loss: of logits ``[n, C]`` against rows of labels, a mean over the batch.
        teacher: says the labels of each batch instead, if there is one.
    """

    labels: Tensor
    loss: Loss
    teacher: Teacher | None = None

    def label(self, batch: Mixed, labels: Tensor, data: ResidentImages) -> tuple[Mixed, Tensor]:
        """The batch as it is, or with what the teacher says of its mixed pixels in [0, 1] in place of ``labels``."""
        if self.teacher is None:
            return batch, labels
        with torch.no_grad():
            said = self.teacher(denormalize(batch.images, data.mean, data.std)).float()
        return Mixed(batch.images, said, 1.0), said


def supervision(data: ResidentImages, protocol: Protocol, teacher: Teacher | None) -> Supervision:
    """What ``protocol`` has students learn from; raises ComponentError where that is missing."""
    what = protocol.distillation
    if what is None:
        return Supervision(data.labels, F.cross_entropy)
    loss = distillation_loss(what)
    if what.labels == "dynamic":
        if teacher is None:
            raise ComponentError(
                f"protocol '{protocol.id}' has a teacher label each batch, and there is none",
                hint=f"bind a scorer that teaches to the role '{what.teacher}'",
            )
        return Supervision(data.labels, loss, teacher)
    if data.soft is None:
        raise ComponentError(
            f"protocol '{protocol.id}' learns from cached soft labels, and the training images have none",
            hint="keep a teacher's logits with the distilled set, or choose a protocol with hard labels",
        )
    return Supervision(data.soft, loss)


def distillation_loss(what: Distillation) -> Loss:
    """The mean over a batch of KL(teacher || student), both softened, times the temperature squared if ``scaled``."""

    def loss(logits: Tensor, said: Tensor) -> Tensor:
        student, teacher = ((t / what.temperature).log_softmax(dim=1) for t in (logits, said))
        divergence = F.kl_div(student, teacher, reduction="batchmean", log_target=True)
        return divergence * what.temperature**2 if what.scaled else divergence

    return loss
