"""The kinds of figures, one module each. A module draws its figure or raises NothingToDrawError."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ddbench.figures.kinds.accuracy import accuracy
from ddbench.figures.kinds.curves import curves
from ddbench.figures.kinds.difficulty import difficulty
from ddbench.figures.kinds.embeddings import embeddings
from ddbench.figures.kinds.pool_size import pool_size
from ddbench.figures.kinds.quotas import quotas
from ddbench.figures.kinds.signals import signals
from ddbench.figures.kinds.times import times

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ddbench.figures.source import Source

# By name, which is also the name of the files.
FIGURES: Final[dict[str, Callable[[Source], Figure]]] = {
    "accuracy": accuracy,
    "curves": curves,
    "difficulty": difficulty,
    "quotas": quotas,
    "map": embeddings,
    "pool-size": pool_size,
    "signals": signals,
    "times": times,
}
