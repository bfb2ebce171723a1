"""Labelled images and the views of a data set that components get."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class ClassInfo:
    """One class: its name, and its place in ImageNet-1k where it has one."""

    name: str
    wnid: str | None = None
    imagenet_index: int | None = None


@dataclass(frozen=True, eq=False)
class LabeledImages:
    """Images of one split: uint8 ``[N, 3, H, W]``, labels ``[N]`` int64, and an id for each."""

    images: Tensor
    labels: Tensor
    ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What generators, fits and scorers see of a data set: everything but the validation images.

    Attributes:
        mean, std: per-channel statistics that networks normalise with, for pixels in [0, 1].
    """

    name: str
    classes: tuple[ClassInfo, ...]
    image_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    train: LabeledImages

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes' names in label order."""
        return tuple(c.name for c in self.classes)
