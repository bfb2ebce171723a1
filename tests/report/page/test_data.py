"""The data of a page agrees with the records."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from ddbench.record import Measurement, RunRecord, Shared
from ddbench.report.leaderboard import leaderboard_of
from ddbench.report.page.data import page_data
from ddbench.report.results import Results
from tests.plan.pretend import record
from tests.report.page.boards import board_results


def data_of(results: Results) -> dict[str, Any]:
    return page_data(results, leaderboard_of(results))


def with_records(results: Results, made: dict[str, list[dict[str, Any]]]) -> Results:
    """Return the results with other records, by the key of their cell."""
    records = {key: list(map(RunRecord.parse, values)) for key, values in made.items()}
    measured = {key: [Measurement.of(one, Shared()) for one in found] for key, found in records.items()}
    return replace(results, records=records, measured=measured)


def results_with(records: Iterable[dict[str, Any]]) -> Results:
    """Return a board of one place: a cell for each record."""
    records = list(records)
    results = board_results(["A"], ipcs=[10], seeds=len(records))
    return with_records(results, {trial.evaluation: [one] for trial, one in zip(results.trials, records, strict=True)})


def entry_with(*records: dict[str, Any]) -> dict[str, Any]:
    (entry,) = data_of(results_with(records))["entries"]
    return entry


def with_stages(key: str, **times: list[tuple[float | None, float | None]]) -> dict[str, Any]:
    stages = [
        {"stage": name, "action_key": "a", "wall_s": wall, "cpu_s": cpu}
        for name, pairs in times.items()
        for wall, cpu in pairs
    ]
    return {**record(key, 50.0), "stages": stages}


def test_every_number_has_its_seeds_key_and_environment() -> None:
    results = board_results(["A", "B"], ipcs=[1, 10], seeds=3)
    data = data_of(results)
    shown = {
        (entry["method"], entry["ipc"], *one["seeds"][0]): (one["last"], one["key"], one["environment"])
        for entry in data["entries"]
        for one in entry["trainings"]
    }
    assert shown == {
        (trial.method, trial.ipc, *trial.seeds.values()): (found.last, found.action_key, 0)
        for trial in results.trials
        for found in results.measured[trial.evaluation]
    }
    assert data["environments"] == [results.measured[results.trials[0].evaluation][0].environment.model_dump()]


def test_the_components_of_a_number_are_those_of_its_records() -> None:
    data = data_of(board_results(["A", "B"]))
    for entry in data["entries"]:
        names = [data["components"][position]["name"] for position in entry["components"]]
        assert names == [f"selector of {entry['method']}", "convnet3"]


def test_cells_that_share_a_training_show_it_once_with_all_seeds() -> None:
    results = board_results(["A"], ipcs=[1], seeds=3)
    first = results.trials[0].evaluation
    shared = replace(results, trials=tuple(replace(trial, evaluation=first) for trial in results.trials))
    (entry,) = data_of(shared)["entries"]
    (training,) = entry["trainings"]
    assert training["seeds"] == [[0, 0, 0], [1, 1, 0], [2, 2, 0]]


def test_every_result_of_a_repeated_training_is_shown_with_its_environment() -> None:
    results = board_results(["A"], ipcs=[1], seeds=1)
    other = record(results.trials[0].evaluation, 61.0, fingerprint="f2")
    other["environment"] = {**other["environment"], "device_model": "Abacus 4000"}
    both = {results.trials[0].evaluation: [record(results.trials[0].evaluation, 60.0), other]}
    data = data_of(with_records(results, both))
    (entry,) = data["entries"]
    models = [data["environments"][one["environment"]]["device_model"] for one in entry["trainings"]]
    assert [(one["last"]) for one in entry["trainings"]] == [60.0, 61.0]
    assert models == ["Abacus 3000", "Abacus 4000"]
    assert (entry["n"], entry["spread"]["mean"]) == (1, 60.5)


def test_the_cost_is_the_mean_over_trainings_of_all_stages_of_one_kind() -> None:
    one = with_stages("a1", generate=[(10.0, 1.0), (20.0, 2.0)], evaluate=[(5.0, 4.0)])
    other = with_stages("a2", generate=[(40.0, 3.0)], evaluate=[(7.0, 6.0)])
    assert entry_with(one, other)["stages"] == {"generate": [35.0, 3.0], "evaluate": [6.0, 5.0]}


@pytest.mark.parametrize("change", [{"wall_s": None, "cpu_s": None}, {"resumed": True}])
def test_the_cost_is_unknown_if_one_stage_was_not_timed_or_only_in_part(change: dict[str, Any]) -> None:
    one = with_stages("a1", generate=[(10.0, 1.0), (20.0, 2.0)], evaluate=[(5.0, 4.0)])
    one["stages"][1].update(change)
    assert entry_with(one)["stages"] == {"generate": [None, None], "evaluate": [5.0, 4.0]}


def test_a_learning_curve_has_mean_lowest_and_highest_after_each_epoch() -> None:
    records = [record("a1", 30.0), record("a2", 40.0)]
    for one, curve in zip(records, ([[5, 10.0], [9, 30.0]], [[5, 21.0], [9, 40.0]]), strict=True):
        one["result"]["curve"] = curve
    data = data_of(results_with(records))
    curve = data["entries"][0]["curve"]
    assert data["epochs"][curve["epochs"]] == [5, 9]
    assert (curve["mean"], curve["low"], curve["high"]) == ([15.5, 35.0], [10.0, 30.0], [21.0, 40.0])


@pytest.mark.parametrize("other", [[[9, 40.0]], [[4, 21.0], [9, 40.0]]])
def test_there_is_no_learning_curve_of_one_point_or_of_unequal_epochs(other: list[list[float]]) -> None:
    records = [record("a1", 30.0), record("a2", 40.0)]
    records[0]["result"]["curve"], records[1]["result"]["curve"] = [[5, 10.0], [9, 30.0]], other
    assert entry_with(*records)["curve"] is None
    records[0]["result"]["curve"] = records[1]["result"]["curve"] = [[9, 30.0]]
    assert entry_with(*records)["curve"] is None


@pytest.mark.parametrize(("text", "images"), [("4x", 40), ("2.25x", 23), ("7", 7), ("everything", 0)])
def test_the_pool_is_counted_in_images_per_class(text: str, images: int) -> None:
    results = board_results(["A"], ipcs=[10], seeds=1)
    results.rows["A"]["pool"] = text
    assert data_of(results)["entries"][0]["pool"] == images


def test_paths_are_shortened_and_hidden_characters_are_visible() -> None:
    results = replace(
        board_results(["a\u202eb"]),
        scorers={"teacher": "/home/someone/weights.pt"},
        generators={"dit": "my/folder"},
        paths=frozenset(["my/folder"]),
    )
    data = data_of(results)
    assert data["scorers"] == {"teacher": "weights.pt"}
    assert data["generators"] == {"dit": "folder"}
    assert list(data["methods"]) == ["a\\u202eb"]
    assert {entry["method"] for entry in data["entries"]} == {"a\\u202eb"}
