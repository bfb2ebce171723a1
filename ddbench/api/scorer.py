"""Scorers: what a frozen network says of images."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from ddbench.api.component import Component
from ddbench.errors import ComponentError

if TYPE_CHECKING:
    from torch import Tensor

    from ddbench.api.context import Context
    from ddbench.api.data import ClassInfo, TrainingData


class Scorer(Component):
    """Writes fields for each image. A suite binds it to a role; its field ``logits`` becomes ``ROLE.logits``.

    Attributes:
        provides: names of the per-sample fields.
        provides_per_class: names of the per-class fields.
        teaches: it has ``class_logits``, so refiners and students can learn from it. One that teaches also writes
            ``logits`` and, per class, ``column``: the class's column in them.
    """

    kind: ClassVar[str] = "scorer"
    provides: ClassVar[tuple[str, ...]] = ()
    provides_per_class: ClassVar[tuple[str, ...]] = ()
    teaches: ClassVar[bool] = False

    @property
    def block(self) -> int:
        """Images that are scored together; the last block of a batch is padded, so no score depends on company.

        At another place in its block a score may differ by rounding.
        """
        return 64

    def check_classes(self, classes: Sequence[ClassInfo]) -> None:
        """Raise ComponentError, naming the class, unless the scorer knows each of the data set's classes; no torch."""

    @abstractmethod
    def score_block(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
        """uint8 ``[block, 3, H, W]`` to the fields named in ``provides``, each ``[block, …]`` float32."""

    def class_fields(self, data: TrainingData, ctx: Context) -> dict[str, Tensor]:
        """The fields named in ``provides_per_class``, each ``[C, …]``."""
        return {}

    def class_logits(self, images: Tensor) -> Tensor:
        """Float images ``[n, 3, H, W]`` in [0, 1], of any size, to logits ``[n, C]``; differentiable, weights frozen.

        The columns are the data set's classes in their order.
        """
        raise ComponentError(f"{self.label()} is no classifier of the data set's classes", hint="choose one that is")

    def score(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
        """Fields of any number of images, computed in padded blocks."""
        import torch

        parts: list[dict[str, Tensor]] = []
        for start in range(0, len(images), self.block):
            batch = images[start : start + self.block]
            padding = batch[-1:].expand(self.block - len(batch), -1, -1, -1)
            fields = self.score_block(torch.cat([batch, padding]), ctx)
            parts.append({name: values[: len(batch)].cpu() for name, values in fields.items()})
            ctx.progress(min(start + self.block, len(images)), len(images))
        return {name: torch.cat([part[name] for part in parts]) for name in self.provides}
