"""The learning-rate schedule of networks trained from scratch."""

from __future__ import annotations

import math


def share_of_peak(step: int, steps: int, warmup: int) -> float:
    """Return a step's share of the peak learning rate: linear warm-up times cosine decay. Steps count from 0."""
    return min(1.0, (step + 1) / warmup) * (1 + math.cos(math.pi * step / steps)) / 2
