"""How fast the networks that are trained here from nothing learn over time."""

from __future__ import annotations

import math


def share_of_peak(step: int, steps: int, warmup: int) -> float:
    """The share of the peak that a step has, counted from 0: it rises along a line, and falls along half a cosine."""
    return min(1.0, (step + 1) / warmup) * (1 + math.cos(math.pi * step / steps)) / 2
