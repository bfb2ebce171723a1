"""The trainings behind each place of the table: values by seed, keys, times and learning curves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TypeAlias

from ddbench.record import Measurement, RunRecord
from ddbench.report.leaderboard import by_place
from ddbench.report.replicates import newest
from ddbench.report.results import Results, Trial
from ddbench.report.scores import Place

# The wall time and the CPU time of a stage in seconds. None if a record does not have it.
Times: TypeAlias = tuple[float | None, float | None]
# An epoch, and the mean, the lowest and the highest accuracy after it.
CurvePoint: TypeAlias = tuple[int, float, float, float]


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
        for place, cells in by_place(results.trials).items()
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
    names = dict.fromkeys(stage.stage for record in records for stage in record.stages)
    return {name: (_mean_time(records, name, "wall_s"), _mean_time(records, name, "cpu_s")) for name in names}


def _mean_time(records: Sequence[RunRecord], name: str, field: str) -> float | None:
    stages = [stage for record in records for stage in record.stages if stage.stage == name]
    times = [None if stage.resumed else getattr(stage, field) for stage in stages]
    return None if None in times else sum(times) / len(records)


def curve_of(trainings: Iterable[Training]) -> list[CurvePoint]:
    """Return the learning curve of a place over its trainings.

    It is empty if a training was evaluated only once, or if the trainings were evaluated after different epochs.
    """
    curves = [training.record.result.curve for training in trainings if training.record is not None]
    epochs = {tuple(epoch for epoch, _ in curve) for curve in curves}
    if len(epochs) != 1 or len(curves[0]) < 2:
        return []
    by_epoch = zip(*curves, strict=True)
    accuracies = ((points[0][0], [accuracy for _, accuracy in points]) for points in by_epoch)
    return [(epoch, fmean(values), min(values), max(values)) for epoch, values in accuracies]
