"""Sections of a protocol: optimiser, schedule, tables by images per class, distillation. Torch is not imported here."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)


def _exact(value: Any) -> str:
    """Return a positive quotient such as ``2/3`` as written, since a float would round it."""
    try:
        if isinstance(value, int | str) and not isinstance(value, bool) and Fraction(value) > 0:
            return str(value)
    except (ValueError, ZeroDivisionError):
        pass
    raise ValueError("should be a positive quotient such as '2/3'")


def _at_most_1(value: str) -> str:
    """Refuse a quotient above 1. The epochs have no such share."""
    if Fraction(value) > 1:
        raise ValueError("should be a share of the epochs, at most 1, such as '2/3'")
    return value


def _number(value: Any) -> Any:
    """Refuse ``true`` and ``false``, which Python takes for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("should be a number")
    return value


Number = BeforeValidator(_number)
Quotient = Annotated[str, BeforeValidator(_exact)]
ShareOfEpochs = Annotated[Quotient, AfterValidator(_at_most_1)]
Count = Annotated[int, Field(ge=1), Number]
Probability = Annotated[float, Field(ge=0, le=1), Number]
Share = Annotated[float, Field(gt=0, le=1), Number]
Positive = Annotated[float, Field(gt=0), Number]
NotNegative = Annotated[float, Field(ge=0), Number]
Momentum = Annotated[float, Field(ge=0, lt=1), Number]


class Section(BaseModel):
    """A section of a protocol. Absent fields are absent from its JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_serializer(mode="wrap")
    def _without_absent_parts(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in serialize(self).items() if value is not None}


class MadeWith(Section):
    """A student that a protocol was made with. Parameters that are left out have the student's defaults.

    Attributes:
        use: the student.
        input_size: height and width of its input, in pixels.
        norm: its parameter ``norm``.
        variant: its parameter ``variant``.
    """

    use: str
    input_size: Count
    norm: str | None = None
    variant: str | None = None

    @property
    def params(self) -> dict[str, str]:
        """Return the parameters that are given."""
        return {name: value for name, value in (("norm", self.norm), ("variant", self.variant)) if value is not None}


class Sgd(Section):
    """Stochastic gradient descent with weight decay on all parameters."""

    lr: Positive
    momentum: Momentum
    weight_decay: NotNegative


class AdamW(Section):
    """Adam with decoupled weight decay on ``all`` parameters, or on ``weights`` without biases and norms."""

    name: Literal["adamw"]
    lr: Positive
    betas: tuple[Momentum, Momentum]
    weight_decay: NotNegative
    decay: Literal["all", "weights"]


class MultiStep(Section):
    """A schedule that multiplies the learning rate by ``gamma`` after each milestone.

    Attributes:
        milestones: shares of the epochs, rounded down.
        gamma: the factor.
        restart: build a new optimiser, without momentum, at each milestone.
    """

    milestones: tuple[ShareOfEpochs, ...]
    gamma: Positive
    restart: bool | None = None

    def epochs(self, epochs: int) -> tuple[int, ...]:
        """Return the milestones of a training of ``epochs`` epochs, counted from 1."""
        return tuple(int(Fraction(share) * epochs) for share in self.milestones)

    def rate(self, start: float, epoch: int, epochs: int) -> float:
        """Return the learning rate in ``epoch``, counted from 1."""
        milestones = self.epochs(epochs)
        for milestone in sorted(set(milestones)):
            if milestone < epoch:
                start *= self.gamma ** milestones.count(milestone)
        return start


class Cosine(Section):
    """A learning rate that falls along half a cosine wave, to 0 after ``stretch`` times the epochs.

    With a stretch of 2 the training ends in the middle of the wave, at half of the initial rate.
    """

    restart: ClassVar[None] = None

    name: Literal["cosine"]
    stretch: Annotated[float, Field(ge=1), Number]

    def epochs(self, epochs: int) -> tuple[int, ...]:
        """Return no milestones: the rate falls continuously."""
        return ()

    def rate(self, start: float, epoch: int, epochs: int) -> float:
        """Return the learning rate in ``epoch``, counted from 1; the first epoch has the full rate."""
        return start * (1 + math.cos(math.pi * (epoch - 1) / (self.stretch * epochs))) / 2


def _named(value: Any) -> str:
    """Return the ``name`` of a section in brackets, which mark it as no field in the path of an error."""
    return f"[{value.get('name', '') if isinstance(value, dict) else getattr(value, 'name', '')}]"


def _one_of(name: str, other: str) -> Discriminator:
    message = f"its name should be '{name}', or be left out for {other}"
    return Discriminator(_named, custom_error_type="name", custom_error_message=message)


# Only the alternatives added later have a name, so the JSON of older protocols stays unchanged.
Optimizer: TypeAlias = Annotated[
    Annotated[Sgd, Tag("[]")] | Annotated[AdamW, Tag("[adamw]")], _one_of("adamw", "stochastic gradient descent")
]
Schedule: TypeAlias = Annotated[
    Annotated[MultiStep, Tag("[]")] | Annotated[Cosine, Tag("[cosine]")], _one_of("cosine", "milestones")
]


class Shortened(Section):
    """Fewer epochs for exactly ``classes`` classes: times ``factor``, rounded down to a ``multiple``."""

    classes: Count
    factor: Quotient
    multiple: Count


class Epochs(Section):
    """Epochs by images per class.

    Attributes:
        up_to: epochs by the largest IPC that they apply to.
        beyond: epochs for any larger IPC.
        shortened: fewer epochs for one number of classes.
    """

    up_to: dict[Count, Count] = {}
    beyond: Count
    shortened: Shortened | None = None


class BatchSizes(Section):
    """Batch sizes by images per class; beyond the table the protocol's ``batch_size`` applies.

    Attributes:
        up_to: batch sizes by the largest IPC that they apply to.
        doubled_for: numbers of classes for which all of them are doubled.
        not_for: numbers of classes for which the protocol's ``batch_size`` always applies.
    """

    up_to: dict[Count, Count]
    doubled_for: tuple[Count, ...] = ()
    not_for: tuple[Count, ...] = ()

    def size(self, ipc: int, num_classes: int, beyond: int) -> int:
        """Return the batch size for ``ipc`` images of each of ``num_classes`` classes; ``beyond`` is the protocol's."""
        if num_classes in self.not_for:
            return beyond
        size = up_to(self.up_to, ipc, beyond)
        return 2 * size if num_classes in self.doubled_for else size


def up_to(table: dict[int, int], value: int, beyond: int) -> int:
    """Look up ``value`` in a table of upper limits; return ``beyond`` above the last limit."""
    return next((table[limit] for limit in sorted(table) if value <= limit), beyond)


class ManyClasses(Section):
    """Settings for data sets of more than ``above`` classes."""

    above: Count
    lr: Positive
    weight_decay: NotNegative
    least_batch_size: Count


class Distillation(Section):
    """Knowledge distillation from a teacher's logits, by the KL divergence of the two softmaxes.

    Attributes:
        labels: ``cached`` uses logits stored with the distilled set; ``dynamic`` asks the teacher for each batch.
        temperature: the temperature of both softmaxes.
        scaled: multiply the divergence by the squared temperature.
        teacher: the role of the teaching scorer, for dynamic labels.
        second_pass: forward each batch a second time in training mode, without a gradient. It only moves the running
            means of batch norms.
    """

    labels: Literal["cached", "dynamic"]
    temperature: Positive
    scaled: bool
    teacher: str | None = None
    second_pass: bool | None = None

    @model_validator(mode="after")
    def _teacher_where_needed(self) -> Distillation:
        if (self.teacher is None) == (self.labels == "dynamic"):
            raise ValueError("dynamic labels name the role of their teacher, cached labels none")
        return self
