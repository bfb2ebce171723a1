"""The parts of a protocol: optimiser, schedule, tables by images per class, distillation. No torch here."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import (
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
Share = Annotated[float, Field(gt=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Momentum = Annotated[float, Field(ge=0, lt=1)]


class Section(BaseModel):
    """Section of a protocol; what is absent from it is absent from its JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_serializer(mode="wrap")
    def _without_absent_parts(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: value for name, value in serialize(self).items() if value is not None}


class Sgd(Section):
    """Stochastic gradient descent; the weight decay is on all parameters."""

    lr: Positive
    momentum: Momentum
    weight_decay: NotNegative


class AdamW(Section):
    """Adam with decoupled weight decay: on ``all`` parameters, or on ``weights``, not on biases and norms."""

    name: Literal["adamw"]
    lr: Positive
    betas: tuple[Momentum, Momentum]
    weight_decay: NotNegative
    decay: Literal["all", "weights"]


class MultiStep(Section):
    """The learning rate is multiplied by ``gamma`` after each of these shares of the epochs, rounded down.

    Attributes:
        restart: there the optimiser begins anew, and its momentum is lost.
    """

    milestones: tuple[Quotient, ...]
    gamma: Positive
    restart: bool | None = None

    def epochs(self, epochs: int) -> tuple[int, ...]:
        """The milestones of a training of ``epochs`` epochs, counted from 1."""
        return tuple(int(Fraction(share) * epochs) for share in self.milestones)

    def rate(self, start: float, epoch: int, epochs: int) -> float:
        """The learning rate in ``epoch``, counted from 1."""
        milestones = self.epochs(epochs)
        for milestone in sorted(set(milestones)):
            if milestone < epoch:
                start *= self.gamma ** milestones.count(milestone)
        return start


class Cosine(Section):
    """The learning rate falls along half a cosine wave, to 0 after ``stretch`` times the epochs.

    A stretch of 2 ends with the training in the middle of the wave, at half of the rate that it began with.
    """

    restart: ClassVar[None] = None

    name: Literal["cosine"]
    stretch: Annotated[float, Field(ge=1)]

    def epochs(self, epochs: int) -> tuple[int, ...]:
        """None: the rate falls all the time."""
        return ()

    def rate(self, start: float, epoch: int, epochs: int) -> float:
        """The learning rate in ``epoch``, counted from 1; the first has the whole."""
        return start * (1 + math.cos(math.pi * (epoch - 1) / (self.stretch * epochs))) / 2


def _named(value: Any) -> str:
    """The ``name`` of a part in brackets, which tell it from a field where an error is placed; empty without one."""
    return f"[{value.get('name', '') if isinstance(value, dict) else getattr(value, 'name', '')}]"


def _one_of(name: str, other: str) -> Discriminator:
    message = f"its name should be '{name}', or be left out for {other}"
    return Discriminator(_named, custom_error_type="name", custom_error_message=message)


# Only the parts that came second are named: the JSON of protocols that were there before stays as it was.
Optimizer: TypeAlias = Annotated[
    Annotated[Sgd, Tag("[]")] | Annotated[AdamW, Tag("[adamw]")], _one_of("adamw", "stochastic gradient descent")
]
Schedule: TypeAlias = Annotated[
    Annotated[MultiStep, Tag("[]")] | Annotated[Cosine, Tag("[cosine]")], _one_of("cosine", "milestones")
]


class Shortened(Section):
    """For exactly ``classes`` classes: epochs times ``factor``, floored to a whole number, then to a ``multiple``."""

    classes: Count
    factor: Quotient
    multiple: Count


class Epochs(Section):
    """Epochs by images per class.

    Attributes:
        up_to: the largest IPC of each step, to its epochs.
        beyond: for any larger IPC.
    """

    up_to: dict[Count, Count] = {}
    beyond: Count
    shortened: Shortened | None = None


class BatchSizes(Section):
    """Batch size by images per class; beyond the table it is the protocol's ``batch_size``.

    Attributes:
        up_to: the largest IPC of each step, to its batch size.
        doubled_for: numbers of classes for which all of them are doubled.
        not_for: numbers of classes for which every IPC has the protocol's.
    """

    up_to: dict[Count, Count]
    doubled_for: tuple[Count, ...] = ()
    not_for: tuple[Count, ...] = ()

    def size(self, ipc: int, num_classes: int, beyond: int) -> int:
        """The batch size for ``ipc`` images of each of ``num_classes`` classes; ``beyond`` is the protocol's."""
        if num_classes in self.not_for:
            return beyond
        size = up_to(self.up_to, ipc, beyond)
        return 2 * size if num_classes in self.doubled_for else size


def up_to(table: dict[int, int], value: int, beyond: int) -> int:
    """What a table of upper limits has for ``value``; ``beyond`` above its last limit."""
    return next((table[limit] for limit in sorted(table) if value <= limit), beyond)


class ManyClasses(Section):
    """What changes for data sets of more than ``above`` classes."""

    above: Count
    lr: Positive
    weight_decay: NotNegative
    least_batch_size: Count


class Distillation(Section):
    """A student learns from a teacher's logits: KL divergence of the two softmaxes at ``temperature``.

    Attributes:
        labels: ``cached`` with the distilled set, or ``dynamic``: what the teacher says of each augmented batch.
        scaled: the divergence is multiplied by the square of the temperature.
        teacher: the role of the scorer that teaches, for dynamic labels.
    """

    labels: Literal["cached", "dynamic"]
    temperature: Positive
    scaled: bool
    teacher: str | None = None

    @model_validator(mode="after")
    def _teacher_where_needed(self) -> Distillation:
        if (self.teacher is None) == (self.labels == "dynamic"):
            raise ValueError("dynamic labels name the role of their teacher, cached labels none")
        return self
