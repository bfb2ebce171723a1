"""Results over several settings, such as IPCs and students: mean differences and average ranks by the bootstrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from ddbench.stats.repeats import CONFIDENCE
from ddbench.stats.samples import Interval, Sample

if TYPE_CHECKING:
    from numpy import ndarray
    from numpy.random import Generator

# The rows of one setting.
Setting: TypeAlias = Mapping[str, Sample]

# With fewer settings, an interval over settings is too short. Then the settings are taken as they are.
LEAST_DRAWN: Final = 5
_DRAWS: Final = 2000
_SEED: Final = 0


@dataclass(frozen=True)
class Overall:
    """A row over all settings in which each row has several sets.

    Attributes:
        settings: number of settings.
        drawn: True if the intervals hold for other settings too; False if they hold for these settings only.
        difference: the mean over settings of the difference to the baseline, in points; None without a baseline.
        interval: its 95 % bootstrap interval.
        rank: the mean rank; equal means share their ranks.
        rank_interval: its 95 % bootstrap interval.
    """

    settings: int
    drawn: bool
    difference: float | None
    interval: Interval | None
    rank: float
    rank_interval: Interval


def overall(settings: Sequence[Setting], baseline: str | None) -> dict[str, Overall]:
    """Return each row over all settings. Rows with a setting without several sets are left out.

    The bootstrap draws settings, and the sets of each row in a drawn setting. Its random numbers are fixed.

    Args:
        settings: the rows of each setting.
        baseline: the name of the row that the others are compared with.
    """
    names = [name for name in (settings[0] if settings else ()) if all(_repeated(s.get(name)) for s in settings)]
    if len(settings) < 2 or len(names) < 2:
        return {}
    import numpy as np
    from scipy.stats import rankdata

    rng, drawn = np.random.default_rng(_SEED), len(settings) >= LEAST_DRAWN
    found = np.array([[setting[name].mean for name in names] for setting in settings])
    draws = np.stack([_draw(setting, names, rng) for setting in settings], axis=1)
    if drawn:
        chosen = rng.integers(len(settings), size=(_DRAWS, len(settings)))
        draws = np.take_along_axis(draws, chosen[:, :, None], axis=1)
    place = names.index(baseline) if baseline in names else None
    ranks = rankdata(-found, axis=1).mean(axis=0), rankdata(-draws, axis=2).mean(axis=1)
    rows = {}
    for i, name in enumerate(names):
        difference = interval = None
        if place is not None:
            difference = float((found[:, i] - found[:, place]).mean())
            interval = _interval((draws[:, :, i] - draws[:, :, place]).mean(axis=1))
        rank = float(ranks[0][i]), _interval(ranks[1][:, i])
        rows[name] = Overall(len(settings), drawn, difference, interval, *rank)
    return rows


def _repeated(sample: Sample | None) -> bool:
    return sample is not None and not sample.fixed and sample.variance is not None


def _draw(setting: Setting, names: Sequence[str], rng: Generator) -> ndarray:
    """Return bootstrap means of the sets of each row, ``[draws, rows]``."""
    import numpy as np

    columns = []
    for name in names:
        units = np.array(setting[name].units)
        # Drawing one set less than there are makes the variance of the mean unbiased.
        columns.append(rng.choice(units, size=(_DRAWS, len(units) - 1)).mean(axis=1))
    return np.stack(columns, axis=1)


def _interval(draws: ndarray) -> Interval:
    """Return the percentile interval of bootstrap draws."""
    import numpy as np

    low, high = np.quantile(draws, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)
