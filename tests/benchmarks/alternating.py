"""Two sides measured in one run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any


def minima(rounds: int = 3, **sides: Callable[[], Any]) -> dict[str, float]:
    """Return the least CPU seconds of each side, in rounds of alternating order, after one warm-up call."""
    for side in sides.values():
        side()
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for round_ in range(rounds):
        names = list(sides) if round_ % 2 == 0 else list(sides)[::-1]
        for name in names:
            start = time.process_time()
            sides[name]()
            seconds[name].append(time.process_time() - start)
    return {name: min(values) for name, values in seconds.items()}
