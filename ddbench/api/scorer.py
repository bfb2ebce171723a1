"""Scorers: apply a frozen network to images."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from ddbench.api.component import Component
from ddbench.api.pixels import nearest_bytes
from ddbench.errors import ComponentError

if TYPE_CHECKING:
    from torch import Tensor

    from ddbench.api.context import Context
    from ddbench.api.data import ClassInfo, TrainingData
    from ddbench.api.dataset import Dataset


class Scorer(Component):
    """A scorer computes fields for each image.

    A suite binds a scorer to a role. Its field ``logits`` becomes ``ROLE.logits``.

    Attributes:
        kind: ``scorer``.
        provides: names of the fields per sample.
        provides_per_class: names of the fields per class.
        teaches: True if ``class_logits`` is implemented, so that refiners and students can learn from the scorer. It
            must then provide ``logits`` and, per class, ``column``: the class's column in them.
    """

    kind: ClassVar[str] = "scorer"
    provides: ClassVar[tuple[str, ...]] = ()
    provides_per_class: ClassVar[tuple[str, ...]] = ()
    teaches: ClassVar[bool] = False

    @property
    def block(self) -> int:
        """Number of images that are scored together. The last block is padded, so scores do not depend on its size.

        A score may differ by rounding at another position in its block.
        """
        return 64

    def check_classes(self, classes: Sequence[ClassInfo]) -> None:
        """Raise ComponentError for a class of the data set that the scorer does not know. Torch is not needed."""

    def check_dataset(self, dataset: Dataset) -> None:
        """Raise ComponentError or DataError if the scorer does not fit the data set. Torch is not needed.

        The default implementation calls ``check_classes``.
        """
        self.check_classes(dataset.classes)

    @abstractmethod
    def score_block(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
        """Map images, uint8 ``[block, 3, H, W]``, to the fields in ``provides``, each ``[block, …]`` float32."""

    def class_fields(self, data: TrainingData, ctx: Context) -> dict[str, Tensor]:
        """Return the fields in ``provides_per_class``, each ``[C, …]``."""
        return {}

    def class_logits(self, images: Tensor) -> Tensor:
        """Map float images ``[n, 3, H, W]`` in [0, 1], of any size, to logits ``[n, C]``.

        The columns are the data set's classes in their order. The result is differentiable; the weights are frozen.
        """
        raise ComponentError(f"{self.label()} cannot classify the data set's classes", hint="choose a teaching scorer")

    def score(self, images: Tensor, ctx: Context) -> dict[str, Tensor]:
        """Return the fields of any number of images, computed in padded blocks.

        Float images are clamped to [0, 1] and rounded to bytes.

        Raises:
            ComponentError: ``score_block`` left out a field, or returned another number of rows than of images.
        """
        import torch

        images = nearest_bytes(images)
        parts: list[dict[str, Tensor]] = []
        for start in range(0, len(images), self.block):
            batch = images[start : start + self.block]
            padding = batch[-1:].expand(self.block - len(batch), -1, -1, -1)
            fields = self.score_block(torch.cat([batch, padding]), ctx)
            self._check_block(fields)
            parts.append({name: values[: len(batch)].cpu() for name, values in fields.items()})
            ctx.progress(min(start + self.block, len(images)), len(images))
        return {name: torch.cat([part[name] for part in parts]) for name in self.provides}

    def _check_block(self, fields: Mapping[str, Tensor]) -> None:
        """Raise ComponentError unless each declared field is there with one row for each image of a block."""
        if not isinstance(fields, Mapping):
            problem = f"returned {type(fields).__name__} from score_block, not fields by name"
            raise ComponentError(f"{self.label()} {problem}", hint="this is a mistake in the scorer")
        for name in self.provides:
            rows = len(fields[name]) if name in fields else None
            if rows != self.block:
                problem = (
                    f"did not return the field '{name}' that it declares"
                    if rows is None
                    else f"returned {rows} rows of '{name}' for {self.block} images"
                )
                raise ComponentError(f"{self.label()} {problem}", hint="this is a mistake in the scorer")
