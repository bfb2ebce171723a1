"""Number, mean and standard deviation of values."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

# For the sample standard deviation, which estimates the spread of further repeats.
DDOF = 1


@dataclass(frozen=True)
class Summary:
    """Mean and standard deviation (ddof 1) of values.

    Attributes:
        n: the number of values.
        mean: their mean.
        std: their standard deviation; None for one value.
    """

    n: int
    mean: float
    std: float | None

    def __str__(self) -> str:
        spread = "" if self.std is None else f" ± {self.std:.1f}"
        return f"{self.mean:.1f}{spread}"


def summarise(values: Sequence[float]) -> Summary:
    """Summarise at least one value."""
    std = statistics.stdev(values) if len(values) > DDOF else None
    return Summary(len(values), statistics.fmean(values), std)


def binomial_standard_error(accuracy: float, images: int) -> float:
    """Return the standard error of an accuracy measured on ``images`` images, both in percent."""
    return math.sqrt(accuracy * (100 - accuracy) / images)
