"""The pieces of work that plans ask components to price. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddbench.api.dataset import Dataset


@dataclass(frozen=True)
class Work:
    """A piece of work, the argument of a component's ``cost``.

    Attributes:
        dataset: the data set that the work is done for.
    """

    dataset: Dataset


class Fit(Work):
    """The fit of a generator or scorer, and what it stores."""


class Sample(Work):
    """One sample of a generator, and what is stored of it."""


class Loss(Work):
    """The loss of one latent under a generator's prior, without gradient."""


class Decode(Work):
    """The decoding of one latent by a generator's prior, without gradient."""


class Score(Work):
    """One image that a scorer looks at, and the fields that are stored of it."""
