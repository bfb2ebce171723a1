"""The pieces of work that components tell the cost of. Torch is not imported here."""

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
    """A piece of work that is done for a data set.

    Attributes:
        dataset: the data set.
    """

    dataset: Dataset


class Fit(DatasetWork):
    """The fit of a generator or scorer, and what it stores."""


class Sample(DatasetWork):
    """One sample of a generator, and what is stored of it."""


class Loss(DatasetWork):
    """The loss of one latent under a generator's prior, without gradient."""


class Decode(DatasetWork):
    """The decoding of one latent by a generator's prior, without gradient."""


class Score(DatasetWork):
    """One image that a scorer looks at, and the fields that are stored of it."""


@dataclass(frozen=True)
class Refine(DatasetWork):
    """The refinement of one image, without what is stored of it."""

    generator: Generator
    teacher: Scorer | None


@dataclass(frozen=True)
class Train(DatasetWork):
    """The evaluation of a distilled set of ``ipc`` images per class by one student.

    Attributes:
        teacher: labels each batch; None if the protocol needs no such teacher.
        evaluation: the suite's settings; the numerics ``fast`` count as half precision.
        validation_size: validation images; None if their number is not known.
    """

    ipc: int
    student: Student
    protocol: Protocol = field(hash=False)
    teacher: Scorer | None
    evaluation: EvaluationSettings
    validation_size: int | None
