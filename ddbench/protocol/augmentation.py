"""The section of a protocol that augments training images. Torch is not imported here."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

from pydantic import Field, model_validator

from ddbench.protocol.sections import Count, NotNegative, Number, Positive, Probability, Quotient, Section, Share


class Crop(Section):
    """A random resized crop.

    Attributes:
        scale: smallest and largest share of the image's area.
        ratio: smallest and largest ratio of width to height.
    """

    scale: tuple[Probability, Probability]
    ratio: tuple[Quotient, Quotient]

    @model_validator(mode="after")
    def _holds_the_whole_image(self) -> Crop:
        if not 0 < self.scale[0] <= self.scale[1] or not Fraction(self.ratio[0]) <= 1 <= Fraction(self.ratio[1]):
            raise ValueError("a crop has a scale [least, most] above 0 and a ratio [least, most] around 1")
        return self


class ColorJitter(Section):
    """The largest strength of each colour change, for pixels in [0, 1]. Nothing is clamped, so the three commute."""

    brightness: Probability
    contrast: Probability
    saturation: Probability


class SiameseColor(Section):
    """Colour changes of a normalised image, in the order of the fields, with u uniform in [0, 1).

    Attributes:
        brightness: ``brightness`` times (u - 1/2) is added.
        saturation: ``saturation`` times u multiplies a pixel's distance from the mean of its channels.
        contrast: ``contrast`` plus u multiplies a value's distance from the mean of the image.
    """

    brightness: NotNegative
    saturation: NotNegative
    contrast: NotNegative


class SiameseOperations(Section):
    """Changes to a normalised image, each with its magnitude. Pixels from outside the image are 0.

    Attributes:
        flip: probability of a horizontal flip.
        color: colour changes.
        crop: the largest shift along each side, a share of it.
        cutout: height and width of a box of zeros, as a share of the image's.
        scale: the largest factor by which each side is stretched or shrunk.
        rotate: the largest angle, in degrees, to either side.
    """

    flip: Probability | None = None
    color: SiameseColor | None = None
    crop: Share | None = None
    cutout: Share | None = None
    scale: Annotated[float, Field(ge=1), Number] | None = None
    rotate: Annotated[float, Field(ge=0, le=180), Number] | None = None

    @model_validator(mode="after")
    def _something(self) -> SiameseOperations:
        if not self.present:
            raise ValueError("there should be at least one operation")
        return self

    @property
    def present(self) -> tuple[str, ...]:
        """Return the names of the operations, in the order of the fields."""
        return tuple(name for name, magnitude in self if magnitude is not None)


class Siamese(Section):
    """Siamese augmentation (arXiv:2102.08259) of a batch: each image draws its own parameters.

    Attributes:
        always: operations applied to every batch, in the order of their fields.
        one_of: operations of which each batch draws one, with equal probability.
    """

    always: SiameseOperations | None = None
    one_of: SiameseOperations | None = None


class RandAugment(Section):
    """RandAugment (arXiv:1909.13719) of pixels of 8 bits, with the fourteen operations of torchvision.

    Float images are rounded to the nearest bytes.

    Attributes:
        operations: number of random operations that each image gets, one after the other.
        magnitude: the strength of every operation, from 0 to 30.
    """

    operations: Count
    magnitude: Annotated[int, Field(ge=0, le=30), Number]


class CutMix(Section):
    """CutMix of a share ``probability`` of the batches; the pasted area is 1 - Beta(alpha, alpha)."""

    probability: Probability
    alpha: Positive


class Augmentation(Section):
    """Augmentation of training images, applied in the order of the fields.

    Attributes:
        patch_shuffle: number of strips into which rows, and then columns, are cut and shuffled.
        rand_augment: random operations on each image.
        crop: a random resized crop.
        flip: probability of a horizontal flip.
        color_jitter: random brightness, contrast and saturation.
        lighting: standard deviation of noise along the principal components of ImageNet's colours.
        siamese: siamese augmentation, after normalisation; all other operations come before it.
        cutmix: CutMix of a whole batch.
    """

    patch_shuffle: Annotated[int, Field(ge=2)] | None = None
    rand_augment: RandAugment | None = None
    crop: Crop | None = None
    flip: Probability | None = None
    color_jitter: ColorJitter | None = None
    lighting: NotNegative | None = None
    siamese: Siamese | None = None
    cutmix: CutMix | None = None
