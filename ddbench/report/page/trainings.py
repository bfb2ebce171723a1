"""The trainings behind each place of the table: values by seed, keys, times and learning curves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeAlias

from ddbench.record import Measurement, RunRecord
from ddbench.report.places import cells_by_place
from ddbench.report.replicates import newest
from ddbench.report.results import Results, Trial
from ddbench.report.scores import Place

# The wall time and the CPU time of a stage in seconds. None if a record does not have it.
Times: TypeAlias = tuple[float | None, float | None]


@dataclass(frozen=True)
class Training:
    """A result that a table counts. A training that several environments repeated has several results.

    Attributes:
        seeds: the seeds of generation, selection and training of each cell that shares the training.
        measured: its measurement.
        record: its complete record; None if it was removed meanwhile.
    """

    seeds: tuple[tuple[int, int, int], ...]
    measured: Measurement
    record: RunRecord | None


def trainings_of(results: Results) -> dict[Place, list[Training]]:
    """Return the results of each place, in the order of the table and of their seeds."""
    return {
        place: sorted(
            _trainings(results, cells), key=lambda one: (one.seeds, one.measured.action_key, one.measured.fingerprint)
        )
        for place, cells in cells_by_place(results.trials).items()
    }


def _trainings(results: Results, cells: Mapping[str, Sequence[Trial]]) -> Iterator[Training]:
    """Yield the results of one place. Each counts once, even if cells with different keys share it."""
    found: dict[tuple[str, str], tuple[str, Measurement]] = {}
    seeds: dict[str, set[tuple[int, int, int]]] = {}
    for key in sorted(cells.keys() & results.measured.keys()):
        for one in newest(results.measured[key]):
            found[one.action_key, one.fingerprint] = key, one
            seeds.setdefault(one.action_key, set()).update(map(_seeds, cells[key]))
    for (action_key, fingerprint), (key, measured) in found.items():
        records = (r for r in results.records[key] if (r.action_key, r.fingerprint) == (action_key, fingerprint))
        yield Training(tuple(sorted(seeds[action_key])), measured, next(records, None))


def _seeds(trial: Trial) -> tuple[int, int, int]:
    return trial.seeds["generation"], trial.seeds["selection"], trial.seeds["training"]


def stage_times(trainings: Iterable[Training]) -> dict[str, Times]:
    """Return the time of each kind of stage that one training rests on, as a mean over trainings.

    Every stage of the lineage counts, even if other rows use its output too. A time is None if a stage of this kind was
    not timed or was resumed, because a resumed stage is timed only in part.
    """
    records = [training.record for training in trainings if training.record is not None]
    times: dict[str, list[Times]] = {}
    for record in records:
        for stage in record.stages:
            pair = (None, None) if stage.resumed else (stage.wall_s, stage.cpu_s)
            times.setdefault(stage.stage, []).append(pair)
    return {
        name: (_sum([wall for wall, _ in pairs], len(records)), _sum([cpu for _, cpu in pairs], len(records)))
        for name, pairs in times.items()
    }


def _sum(times: Sequence[float | None], share: int) -> float | None:
    """Return the sum of times divided by ``share``, in milliseconds' precision; None if one of them is not known."""
    known = [time for time in times if time is not None]
    return round(sum(known) / share, 3) if len(known) == len(times) else None


@dataclass(frozen=True)
class Curve:
    """The learning curve of a place over its results, in percent.

    Attributes:
        epochs: the epochs after which the students were evaluated.
        mean: the mean after each of them, with two decimals.
        low: the lowest accuracy; empty if there is one result.
        high: the highest accuracy; empty if there is one result.
    """

    epochs: tuple[int, ...]
    mean: list[float]
    low: list[float]
    high: list[float]


def curve_of(trainings: Iterable[Training]) -> Curve | None:
    """Return the learning curve of a place.

    It is None if a student was evaluated only once, or if students were evaluated after different epochs.
    """
    curves = [training.record.result.curve for training in trainings if training.record is not None]
    epochs = {tuple(epoch for epoch, _ in curve) for curve in curves}
    if len(epochs) != 1 or len(curves[0]) < 2:
        return None
    values = [[accuracy for _, accuracy in points] for points in zip(*curves, strict=True)]
    low, high = ([pick(own) for own in values] if len(curves) > 1 else [] for pick in (min, max))
    return Curve(epochs.pop(), [round(fmean(own), 2) for own in values], low, high)
