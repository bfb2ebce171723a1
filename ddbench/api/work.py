"""The arguments of ``Component.cost``. Torch is not imported here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ddbench.api.cost import Work

if TYPE_CHECKING:
    from ddbench.api.dataset import Dataset
    from ddbench.api.generator import Generator
    from ddbench.api.scorer import Scorer
    from ddbench.api.settings import EvaluationSettings
    from ddbench.api.student import Student
    from ddbench.protocol.protocol import Protocol


@dataclass(frozen=True)
class DatasetWork(Work):
    """A piece of work for a data set.

    Attributes:
        dataset: the data set.
    """

    dataset: Dataset


class Fit(DatasetWork):
    """The fit of a generator or scorer, including the storage of its result."""


@dataclass(frozen=True)
class Sample(DatasetWork):
    """The generation and storage of one sample.

    Attributes:
        teacher: the scorer that the generator asks; None if it asks none.
    """

    teacher: Scorer | None = None


class Loss(DatasetWork):
    """The loss of one latent under a generator's prior, without gradient."""


class Decode(DatasetWork):
    """The decoding of one latent by a generator's prior, without gradient."""


class Score(DatasetWork):
    """The scoring of one image, including the storage of its fields."""


@dataclass(frozen=True)
class Refine(DatasetWork):
    """The refinement of one image, without its storage.

    Attributes:
        generator: the generator of the image.
        teacher: the scorer that gave the soft labels; None if the refiner needs none.
    """

    generator: Generator
    teacher: Scorer | None


@dataclass(frozen=True)
class Train(DatasetWork):
    """The evaluation of a distilled set of ``ipc`` images per class by one student.

    Attributes:
        ipc: images per class.
        student: the network to train.
        protocol: the training protocol.
        teacher: the scorer that labels each batch; None if the protocol has no dynamic labels.
        evaluation: the suite's settings. The numerics ``fast`` count as half precision.
        validation_size: number of validation images; None if it is not known.
    """

    ipc: int
    student: Student
    protocol: Protocol = field(hash=False)
    teacher: Scorer | None
    evaluation: EvaluationSettings
    validation_size: int | None
