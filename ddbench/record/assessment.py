"""The scores of a distilled set itself, as stored."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ddbench.record.part import Part
from ddbench.record.run_record import Count, Key

Positive = Annotated[int, Field(ge=1)]


class NearImage(Part):
    """An image of a set and the real image that it is a near-duplicate of.

    Attributes:
        image: the id of the image.
        nearest: the id of the real image.
        nearness: its distance as a share of the mean distance to the nearest real images, from 0 to 1.
    """

    image: str
    nearest: str
    nearness: float


class NearImages(Part):
    """The near-duplicates of one split of the data set.

    Attributes:
        count: their number.
        closest: the lowest nearness of an image.
        shown: the nearest ones.
    """

    count: Count
    closest: float
    shown: list[NearImage]


class Assessment(Part):
    """The scores of a distilled set that no training decides.

    Attributes:
        distilled: digest of the distilled set.
        scorer: hash of the recipe of the scorer and of the assessment.
        images: number of images.
        image_bytes: bytes of their values as stored, without compression.
        coverage: mean coverage of the training images of a class in percent; None if no class has two.
        diversity: mean Vendi score of the images of a class.
        validation: near-duplicates of validation images.
        training: near-duplicates of training images.
        checked: number of training images that were compared with the validation images in the same way.
        expected: number of near-duplicates of validation images among them.
    """

    distilled: Key
    scorer: Key
    images: Positive
    image_bytes: Positive
    coverage: float | None
    diversity: float
    validation: NearImages
    training: NearImages
    checked: Positive
    expected: Count

    @property
    def told(self) -> str:
        """The scores as one line."""
        covered = "" if self.coverage is None else f"coverage {self.coverage:.1f} %, "
        near = f"near-duplicates of {self.validation.count} validation and {self.training.count} training images"
        return f"{covered}diversity {self.diversity:.2f}, {near}"
