"""Labelled images, and the view of a data set that components receive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class ClassInfo:
    """A class of a data set.

    Attributes:
        name: the name for display.
        wnid: the WordNet id; None if the class has none.
        imagenet_index: the index of the class in ImageNet-1k; None if it is not in ImageNet-1k.
    """

    name: str
    wnid: str | None = None
    imagenet_index: int | None = None


@dataclass(frozen=True, eq=False)
class LabeledImages:
    """The images of one split.

    Attributes:
        images: uint8 ``[N, 3, H, W]``.
        labels: ``[N]`` int64.
        ids: a unique name for each image.
    """

    images: Tensor
    labels: Tensor
    ids: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, eq=False)
class TrainingData:
    """The view of a data set that components receive: everything except the validation images.

    Attributes:
        name: the data set's name.
        classes: the classes in label order.
        image_size: height and width of the images, in pixels.
        mean: mean of each channel, for pixels in [0, 1]. Networks normalise with it.
        std: standard deviation of each channel, for pixels in [0, 1]. Networks normalise with it.
        train: the training images.
        ambiguous_order: True if other programs may number the classes in another order.
    """

    name: str
    classes: tuple[ClassInfo, ...]
    image_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    train: LabeledImages
    ambiguous_order: bool = False

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes in label order."""
        return tuple(c.name for c in self.classes)
