"""Protocols: how a student is trained and measured, as data. Versioned, immutable, and readable without torch.

A protocol file is ``NAME@VERSION.yaml``; its name is the protocol's id. What a file leaves out is not done. A part that
is left out does not show in the protocol's JSON either, so that parts added to the model later change no key.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from ddbench.errors import ComponentError, SuiteError
from ddbench.suite.source import read_yaml


def _exact(value: Any) -> str:
    """A positive quotient such as ``2/3``, kept as written: a float would round it."""
    try:
        if isinstance(value, int | str) and Fraction(value) > 0:
            return str(value)
    except (ValueError, ZeroDivisionError):
        pass
    raise ValueError("should be a positive quotient such as '2/3'")


Quotient = Annotated[str, BeforeValidator(_exact)]
Count = Annotated[int, Field(ge=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_serializer(mode="wrap")
    def _without_absent_parts(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in serialize(self).items() if value is not None}


class Crop(_Part):
    """A random resized crop: its share of the image's area, and its width over height, from least to most."""

    scale: tuple[Probability, Probability]
    ratio: tuple[Quotient, Quotient]

    @model_validator(mode="after")
    def _holds_the_whole_image(self) -> Crop:
        if not 0 < self.scale[0] <= self.scale[1] or not Fraction(self.ratio[0]) <= 1 <= Fraction(self.ratio[1]):
            raise ValueError("a crop has a scale [least, most] above 0 and a ratio [least, most] around 1")
        return self


class ColorJitter(_Part):
    """Largest strength of each change, for pixels in [0, 1]; the three come in random order."""

    brightness: Probability
    contrast: Probability
    saturation: Probability


class CutMix(_Part):
    """Share of batches that are mixed; the pasted area is 1 - Beta(alpha, alpha)."""

    probability: Probability
    alpha: Positive


class Augmentation(_Part):
    """What is done to training images, in the order of the fields; ``cutmix`` a batch, the others an image.

    Attributes:
        flip: probability of mirroring left and right.
        lighting: standard deviation of the noise along the principal components of ImageNet's colours.
    """

    crop: Crop | None = None
    flip: Probability | None = None
    color_jitter: ColorJitter | None = None
    lighting: NotNegative | None = None
    cutmix: CutMix | None = None


class Sgd(_Part):
    """Stochastic gradient descent; the weight decay is on all parameters."""

    lr: Positive
    momentum: Annotated[float, Field(ge=0, lt=1)]
    weight_decay: NotNegative


class MultiStep(_Part):
    """The learning rate is multiplied by ``gamma`` after each of these shares of the epochs, rounded down."""

    milestones: tuple[Quotient, ...]
    gamma: Positive


class Shortened(_Part):
    """For exactly ``classes`` classes: epochs times ``factor``, floored to a whole number, then to a ``multiple``."""

    classes: Count
    factor: Quotient
    multiple: Count


class Epochs(_Part):
    """Epochs by images per class.

    Attributes:
        up_to: the largest IPC of each step, to its epochs.
        beyond: for any larger IPC.
    """

    up_to: dict[Count, Count] = {}
    beyond: Count
    shortened: Shortened | None = None


class ManyClasses(_Part):
    """What changes for data sets of more than ``above`` classes."""

    above: Count
    lr: Positive
    weight_decay: NotNegative
    least_batch_size: Count


class Protocol(_Part):
    """How a student is trained on a distilled set, and when it is measured.

    Images are normalised with the mean and standard deviation of the data set; labels are hard.

    Attributes:
        id: ``name@version``. What a version says never changes.
        summary: one line for people; in no key, and not in the protocol's JSON.
        max_input_size: larger images are resized to it, in pixels; smaller data sets keep their size.
        batch_size: of training; the last, partial batch of an epoch is kept.
        evaluations: how often the student is measured, spread evenly; the last time after the last epoch.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*@[1-9][0-9]*$")]
    summary: str = Field("", exclude=True)
    max_input_size: Count
    batch_size: Count
    epochs_by_ipc: Epochs
    evaluations: Count
    optimizer: Sgd
    schedule: MultiStep
    augmentation: Augmentation
    many_classes: ManyClasses | None = None

    def input_size(self, image_size: int) -> int:
        """Height and width, in pixels, at which the images of a data set of ``image_size`` are used."""
        return min(image_size, self.max_input_size)

    def epochs(self, ipc: int, num_classes: int) -> int:
        """Epochs of one training on ``ipc`` images of each of ``num_classes`` classes."""
        table = self.epochs_by_ipc
        epochs = next((table.up_to[limit] for limit in sorted(table.up_to) if ipc <= limit), table.beyond)
        rule = table.shortened
        if rule is None or rule.classes != num_classes:
            return epochs
        return int(Fraction(rule.factor) * epochs) // rule.multiple * rule.multiple

    def evaluation_epochs(self, epochs: int) -> tuple[int, ...]:
        """The epochs, counted from 1, after which a training of ``epochs`` epochs is measured."""
        every = max(1, epochs // self.evaluations)
        return tuple(sorted({*range(every, epochs + 1, every), epochs}))

    def milestones(self, epochs: int) -> tuple[int, ...]:
        """The epochs, counted from 1, after which the learning rate falls."""
        return tuple(int(Fraction(share) * epochs) for share in self.schedule.milestones)

    def for_classes(self, num_classes: int) -> Protocol:
        """The protocol with the optimiser and batch size that it prescribes for that many classes."""
        rule = self.many_classes
        if rule is None or num_classes <= rule.above:
            return self
        optimizer = self.optimizer.model_copy(update={"lr": rule.lr, "weight_decay": rule.weight_decay})
        batch_size = max(self.batch_size, rule.least_batch_size)
        return self.model_copy(update={"optimizer": optimizer, "batch_size": batch_size})


def read_protocol(path: Path) -> Protocol:
    """Read ``NAME@VERSION.yaml``; raises ComponentError with file, line and field where it is not a protocol."""
    try:
        source = read_yaml(path)
    except SuiteError as error:
        raise ComponentError(error.message, where=error.where, hint="a protocol file is a YAML mapping") from None
    if "id" in source.values:
        raise ComponentError("unknown field 'id'", where=source.place(("id",)), hint="the file's name is the id")
    try:
        return Protocol.model_validate({**source.values, "id": path.stem})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"] if part != "[key]")
        message = {"extra_forbidden": "is unknown", "missing": "is missing"}.get(first["type"])
        if message is None:
            message = f"is {first['input']!r}: {first['msg'].removeprefix('Value error, ')}"
        raise ComponentError(f"the field '{field}' {message}", where=source.place(first["loc"])) from None
