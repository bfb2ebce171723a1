"""The measurements of each place of the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ddbench.record import Measurement
from ddbench.report.distilled import DistilledResult, Seeds, distilled_results
from ddbench.report.replicates import mean_of, newest
from ddbench.report.results import Results, Trial
from ddbench.report.scores import Place


@dataclass(frozen=True)
class PlaceResults:
    """The results of one place. Equal trainings count once, even if several cells share them.

    Attributes:
        measured: one measurement of each training; the mean of its replicates.
        seeds: the seeds of each measurement's distilled set, by action key.
        distilled: the distilled sets in the order of their seeds.
        expected: number of different trainings that the suite asks for.
        replicates: all results of each training.
    """

    measured: list[Measurement]
    seeds: Mapping[str, set[Seeds]]
    distilled: list[DistilledResult]
    expected: int
    replicates: list[list[Measurement]]


def places_of(results: Results) -> dict[Place, PlaceResults]:
    """Return the results of each place, in the order of the table."""
    return {place: _results_at(results, cells) for place, cells in cells_by_place(results.trials).items()}


def cells_by_place(trials: Sequence[Trial]) -> dict[Place, dict[str, list[Trial]]]:
    """Return the cells of each place, by the recipe key of their training."""
    groups: dict[Place, dict[str, list[Trial]]] = {}
    for trial in trials:
        place = trial.method, trial.ipc, trial.student, trial.protocol
        groups.setdefault(place, {}).setdefault(trial.evaluation, []).append(trial)
    return groups


def set_seeds(trial: Trial) -> Seeds:
    """Return the seeds of a cell's distilled set."""
    return trial.seeds["generation"], trial.seeds["selection"]


def _results_at(results: Results, evaluations: Mapping[str, Sequence[Trial]]) -> PlaceResults:
    """Return the results of a place from its cells, by the recipe key of their training."""
    found: dict[str, Measurement] = {}
    seeds: dict[str, set[Seeds]] = {}
    replicates = {key: newest(results.measured[key]) for key in sorted(evaluations.keys() & results.measured.keys())}
    for key, own in replicates.items():
        one = mean_of(own)
        found[one.action_key] = one
        seeds.setdefault(one.action_key, set()).update(map(set_seeds, evaluations[key]))
    measured = [found[action_key] for action_key in sorted(found)]
    missing = sum(key not in results.measured for key in evaluations)
    return PlaceResults(
        measured,
        seeds,
        distilled_results(measured, seeds, results.samples),
        len(measured) + missing,
        list(replicates.values()),
    )
