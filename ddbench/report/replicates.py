"""Results of one training from several environments, or on inputs with other bits: replicates, not further seeds."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, variance

from ddbench.record import Measurement


@dataclass(frozen=True)
class EnvironmentSpread:
    """The spread of equal trainings between environments.

    Attributes:
        trainings: number of trainings with results of several environments.
        environments: number of environments.
        sd: standard deviation between environments, pooled over the trainings, in points.
        largest: the largest difference of two environments.
    """

    trainings: int
    environments: int
    sd: float
    largest: float


def newest(measured: Iterable[Measurement]) -> list[Measurement]:
    """Return the results of the newest format, in the order of their keys. Older ones are superseded."""
    found = sorted(measured, key=lambda one: (-one.format, one.action_key, one.fingerprint))
    return [one for one in found if one.format == found[0].format]


def mean_of(replicates: Sequence[Measurement]) -> Measurement:
    """Return the mean of the results of one training. Each environment counts once."""
    first, *others = replicates
    if not others:
        return first
    best = [one.best for one in replicates if one.best is not None]
    bests = zip(replicates, best, strict=True) if len(best) == len(replicates) else ()
    mean_best = _mean_by_environment((one.fingerprint, value) for one, value in bests) if best else []
    last = _mean_by_environment((one.fingerprint, one.last) for one in replicates)
    return replace(first, last=fmean(last), best=fmean(mean_best) if mean_best else None)


def spread_between(trainings: Iterable[Sequence[Measurement]]) -> EnvironmentSpread | None:
    """Return the spread of trainings between environments; None if no training has results of several.

    Args:
        trainings: the results of each training.
    """
    groups = []
    environments: set[str] = set()
    for replicates in trainings:
        means = _mean_by_environment((one.fingerprint, one.last) for one in replicates)
        if len(means) > 1:
            groups.append(means)
            environments |= {one.fingerprint for one in replicates}
    if not groups:
        return None
    freedom = sum(len(means) - 1 for means in groups)
    squares = sum(variance(means) * (len(means) - 1) for means in groups)
    largest = max(max(means) - min(means) for means in groups)
    return EnvironmentSpread(len(groups), len(environments), math.sqrt(squares / freedom), largest)


def _mean_by_environment(values: Iterable[tuple[str, float]]) -> list[float]:
    """Return the mean of the values of each environment."""
    by_environment: dict[str, list[float]] = defaultdict(list)
    for fingerprint, value in values:
        by_environment[fingerprint].append(value)
    return [fmean(own) for own in by_environment.values()]
