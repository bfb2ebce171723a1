"""A set of runs in three numbers."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

# Sample standard deviation: what repeats say of further repeats.
DDOF = 1


@dataclass(frozen=True)
class Summary:
    """Mean and standard deviation (ddof 1) of ``n`` values; the deviation of one value is unknown, None."""

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
    """How far one accuracy, both in percent, is from that on endlessly many images: its standard error."""
    return math.sqrt(accuracy * (100 - accuracy) / images)
