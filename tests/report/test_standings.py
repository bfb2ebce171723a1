"""Intervals, ranks and verdicts of a board, and what of its results decides them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ddbench.report.exported import read_exported
from ddbench.report.exporting import export_results
from ddbench.report.leaderboard import leaderboard_of
from ddbench.report.standings import Standing, Statistics
from ddbench.stats.verdicts import Verdict
from ddbench.suite import Cell
from tests.plan.plans import SUITE, Values, edited
from tests.report.stores import stored

METHODS: dict[str, Any] = {
    "base": {"generator": "loud", "selector": "first"},
    "good": {"generator": "loud", "selector": "random", "pool": 4},
    "control": {"generator": "loud", "selector": "first", "labels": "shuffled"},
    "fixed": {"generator": "real", "selector": "first"},
}
# Of the sets 0, 1 and 2.
LAST = {"base": (50, 51, 52), "good": (60, 61, 62), "control": (32, 33, 34), "fixed": (40, 40, 40)}
TWINS = {"short": {"epochs": 3}}


def values(**more: Any) -> Values:
    def edit(suite: Values) -> None:
        suite["methods"] = METHODS
        suite["seeds"] = {"generation": [0, 1, 2], "selection": "generation", "training": [0, 1]}
        suite.update({"baseline": "base", **more})

    return edited(edit, SUITE)


def last(cell: Cell) -> float:
    """Return the accuracy of a set, with a training 1 beside it on each side."""
    row = cell.row.name.removesuffix(", short")
    return LAST[row][cell.generation_seed] + 2 * cell.training_seed - 1


def statistics(folder: Path, **more: Any) -> Statistics:
    return leaderboard_of(stored(folder, values(**more), last=last)).statistics


def by_row(found: Statistics) -> dict[str, Standing]:
    return {one.method: one for one in found.standings}


def verdict(standing: Standing) -> Verdict:
    assert standing.verdict is not None
    return standing.verdict


def test_every_place_has_its_sets_mean_rank_and_verdict(tmp_path: Path) -> None:
    found = statistics(tmp_path)
    rows = by_row(found)
    assert (found.baseline, found.margin, list(rows)) == ("base", 1.0, list(METHODS))
    assert [sorted(one.accuracies) for one in rows["good"].sets] == [[59, 61], [60, 62], [61, 63]]
    assert [one.seeds for one in rows["good"].sets] == [((seed, seed),) for seed in range(3)]
    # Two trainings tell little of the spread of the fixed set's students, so that it is separated from none.
    assert [str(rows[name].rank) for name in ("good", "base", "fixed", "control")] == ["1–2", "2–3", "1–4", "3–4"]
    assert rows["base"].verdict is None
    assert [verdict(rows[name]).word for name in ("good", "control", "fixed")] == ["better", "worse", "undecided"]
    assert [verdict(rows[name]).test for name in ("good", "control", "fixed")] == ["Dunnett", "Dunnett", "Welch t"]


def test_a_row_that_draws_nothing_has_one_set_of_all_seeds(tmp_path: Path) -> None:
    fixed = by_row(statistics(tmp_path))["fixed"]
    assert fixed.spread is not None
    assert [one.seeds for one in fixed.sets] == [((0, 0), (1, 1), (2, 2))]
    assert (fixed.spread.sets, fixed.spread.trainings, fixed.spread.unit) == (1, 2, "trainings")


def test_a_control_is_at_chance_or_not(tmp_path: Path) -> None:
    """Three classes: chance is 33.3 %."""
    rows = by_row(statistics(tmp_path))
    assert (rows["control"].at_chance, rows["base"].at_chance) == (True, None)
    LAST["control"] = (50, 50, 51)
    try:
        assert by_row(statistics(tmp_path / "above"))["control"].at_chance is False
    finally:
        LAST["control"] = (32, 33, 34)


def test_twins_are_compared_with_the_twin_of_the_baseline(tmp_path: Path) -> None:
    rows = by_row(statistics(tmp_path, twins=TWINS))
    assert verdict(rows["good, short"]).against == "base, short"
    assert verdict(rows["good"]).against == "base"
    assert (verdict(rows["good"]).family, verdict(rows["good, short"]).family) == (3, 3)
    assert rows["base, short"].verdict is None
    rank = rows["good, short"].rank
    assert rank is not None
    assert rank.of == 4


def test_rows_are_ranked_within_their_protocol_and_a_verdict_names_another_one(tmp_path: Path) -> None:
    more = {"plain": {"generator": "loud", "selector": "random", "pool": 4, "protocol": "minimax-cifar@1"}}
    for name in ("other", "plain"):
        LAST[name] = (70, 71, 72)
    try:
        methods = {**METHODS, **more, "other": {**more["plain"], "pool": 5}}
        found = statistics(tmp_path, methods=methods, ipc=[1, 2])
    finally:
        del LAST["other"], LAST["plain"]
    rows = {one.method: one for one in found.standings if one.ipc == 1}
    assert str(rows["good"].rank) == "1–2"  # as without the others
    assert [str(rows[name].rank) for name in ("plain", "other")] == ["1–2", "1–2"]
    assert {name for name, one in rows.items() if one.against_protocol == "minimax-hard@1"} == {"plain", "other"}
    assert verdict(rows["plain"]).word == "better"
    assert found.overall["good"].rank == 1
    assert found.overall["plain"].difference is None


def test_the_margin_of_the_suite_decides_on_equivalence(tmp_path: Path) -> None:
    found = statistics(tmp_path, margin=30)
    assert found.margin == 30
    assert {verdict(one).word for one in found.standings if one.verdict} == {"equivalent"}


def test_without_a_baseline_there_are_ranks_and_no_verdicts(tmp_path: Path) -> None:
    found = statistics(tmp_path, baseline=None)
    assert {one.verdict for one in found.standings} == {None}
    assert all(one.rank for one in found.standings)


def test_a_place_without_results_has_nothing(tmp_path: Path) -> None:
    results = stored(tmp_path, values(), last=last, done=lambda cell: cell.row.name != "base")
    rows = by_row(leaderboard_of(results).statistics)
    assert (rows["base"].sets, rows["base"].spread, rows["base"].rank) == ((), None, None)
    assert verdict(rows["good"]).reason == "'base' has no result"


def test_variances_are_pooled_over_the_rows_that_draw(tmp_path: Path) -> None:
    """Sets deviate by 1, trainings by √2: a set's mean has half of their variance, 1, beside its own; so none is left.

    The control's numbers deviate alike.
    """
    (found,) = statistics(tmp_path).variances
    assert found.by_axis == pytest.approx({"generation and selection": 0, "training": 2})


def test_settings_are_averaged(tmp_path: Path) -> None:
    found = statistics(tmp_path, ipc=[1, 2]).overall
    assert set(found) == {"base", "good", "control"}
    assert (found["good"].difference, found["good"].rank, found["good"].settings) == (10, 1, 2)


def test_an_export_has_the_same_statistics(tmp_path: Path) -> None:
    results = stored(tmp_path, values(), last=last)
    export_results(results, tmp_path / "out")
    boards = [leaderboard_of(found).to_json() for found in (results, read_exported(tmp_path / "out"))]
    assert json.dumps(boards[0]) == json.dumps(boards[1])
    assert boards[0]["statistics"]["standings"][1]["verdict"]["word"] == "better"
