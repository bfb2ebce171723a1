"""Splits of a row's gain: steps of one part, differences of sets, and mistakes in a suite."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ddbench.errors import SuiteError
from ddbench.report.exported import read_exported
from ddbench.report.exporting import export_results
from ddbench.report.leaderboard import leaderboard_of
from ddbench.report.markdown import to_markdown
from ddbench.report.splits import Step
from ddbench.suite import Cell
from ddbench.suite.splits import changed_parts
from tests.plan.plans import SUITE, Values, edited, plan
from tests.report.stores import stored

SOFT = {"use": "soft", "teacher": "teacher", "tau": 1.5}
BASE = {"generator": "loud", "selector": "first"}
LABELLED = {**BASE, "labels": SOFT, "protocol": "psr-kd@1"}
SELECTED = {**LABELLED, "selector": "random", "pool": 4}
REFINED = {**SELECTED, "refiner": "doubt"}
METHODS = {
    "base": BASE,
    "labelled": LABELLED,
    "selected": SELECTED,
    "refined": REFINED,
    "real": {"generator": "real", "selector": "random"},
    "one": {"generator": "real", "selector": "first"},
    "hard refined": {**BASE, "refiner": "doubt", "labels": SOFT},
    "hard selected": {**BASE, "selector": "random", "pool": 4},
    "other protocol": {**LABELLED, "protocol": "smoke-kd@1"},
}
SPLITS = {
    "PSR": ["base", "labelled", "selected", "refined"],
    "pools": ["real", "hard selected"],
    "fixed": ["one", "real"],
    "guided": ["base", "hard refined"],
}
# Of each row's sets 0, 1 and 2.
LAST = {
    "base": (50, 52, 54),
    "labelled": (53, 54, 59),
    "selected": (54, 55, 60),
    "refined": (54, 55, 60),
    "real": (30, 32, 34),
    "hard selected": (40, 42, 44),
}


def values(splits: dict[str, Any] = SPLITS, **more: Any) -> Values:
    def edit(suite: Values) -> None:
        suite["methods"], suite["splits"] = METHODS, splits
        suite["seeds"] = {"generation": [0, 1, 2], "selection": "generation", "training": [0, 1]}
        suite.update(more)

    return edited(edit, SUITE)


def last(cell: Cell) -> float:
    """Return the accuracy of a set, with a training 1 beside it on each side."""
    spread = 2 * cell.training_seed - 1
    return LAST.get(cell.row.name, (20, 20, 20))[cell.generation_seed] + spread


def steps(folder: Path, **more: Any) -> dict[str, list[Step]]:
    board = leaderboard_of(stored(folder, values(), last=last, **more))
    return {name: [step for step in board.splits if step.split == name] for name in SPLITS}


def test_each_step_adds_one_part(tmp_path: Path) -> None:
    found = steps(tmp_path)
    assert [(step.part, step.before, step.after) for step in found["PSR"]] == [
        ("labels", "base", "labelled"),
        ("selection", "labelled", "selected"),
        ("refinement", "selected", "refined"),
        ("all", "base", "refined"),
    ]
    # Soft labels that guide a refiner under a protocol of hard labels are part of the refinement.
    assert [step.part for step in found["guided"]] == ["refinement"]


def test_shuffled_labels_guide_no_refiner() -> None:
    shuffled, refined = (
        {"generator": "g", "pool": "4", "selector": "first", "refiner": refiner, "labels": labels, "protocol": "p"}
        for refiner, labels in (("none", "shuffled"), ("own", "hard"))
    )
    assert changed_parts(shuffled, refined) == changed_parts(refined, shuffled) == ["refinement", "labels"]


def test_sets_of_one_pool_are_paired_by_their_seeds(tmp_path: Path) -> None:
    """Differences of 3, 2 and 5 by hand: deviation √(7/3), t with two degrees of freedom 4.3027."""
    labels, selection, refinement, whole = (step.difference for step in steps(tmp_path)["PSR"])
    half = 4.302653 * math.sqrt(7 / 3) / math.sqrt(3)
    assert labels is not None
    assert (labels.mean, labels.sets, labels.paired) == (pytest.approx(10 / 3), (3, 3), True)
    assert labels.interval == pytest.approx((10 / 3 - half, 10 / 3 + half))
    assert selection is not None
    assert (selection.mean, selection.interval) == (1, (1, 1))
    assert refinement is not None
    assert refinement.mean == 0
    assert whole is not None
    assert whole.mean == pytest.approx(10 / 3 + 1)


def test_sets_of_two_generators_are_independent(tmp_path: Path) -> None:
    """Both deviate by 2: the standard error is √(4/3 + 4/3), t with four degrees of freedom 2.7764."""
    (step,) = steps(tmp_path)["pools"]
    half = 2.776445 * math.sqrt(8 / 3)
    assert step.difference is not None
    assert (step.part, step.difference.mean, step.difference.paired) == ("generation", 10, False)
    assert step.difference.interval == pytest.approx((10 - half, 10 + half))


def test_a_row_of_one_set_gives_no_interval(tmp_path: Path) -> None:
    (step,) = steps(tmp_path)["fixed"]
    assert step.difference is not None
    assert (step.difference.mean, step.difference.interval, step.difference.sets) == (12, None, (1, 3))


def missing_last(cell: Cell) -> bool:
    """Return whether a cell is done; one training of the last set of ``labelled`` is not."""
    return cell.row.name != "labelled" or (cell.generation_seed, cell.training_seed) != (2, 1)


def test_a_step_of_an_unfinished_row_has_no_difference(tmp_path: Path) -> None:
    found = steps(tmp_path, done=missing_last)["PSR"]
    assert [(step.difference is None, step.missing) for step in found] == [(True, 1), (True, 1), (False, 0), (False, 0)]


@pytest.mark.parametrize(
    ("done", "told"),
    [(missing_last, "1 training missing"), (lambda cell: cell.row.name == "base", "6 trainings missing")],
)
def test_the_table_tells_the_missing_trainings(tmp_path: Path, done: Callable[[Cell], bool], told: str) -> None:
    board = leaderboard_of(stored(tmp_path, values(), last=last, done=done))
    assert f"| base | labelled | – | – | {told} |" in " ".join(to_markdown(board).split())


def test_it_is_in_the_table_the_json_and_the_export(tmp_path: Path) -> None:
    results = stored(tmp_path / "in", values(), last=last)
    board = leaderboard_of(results)
    line = next(line for line in to_markdown(board).splitlines() if line.startswith("| PSR"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[2:] == ["2", "labels", "base", "labelled", "+3.33", "[-0.46, 7.13]", "3 pairs"]
    assert json.loads(json.dumps(board.to_json()))["splits"][0]["difference"]["paired"] is True
    export_results(results, tmp_path / "out")
    assert leaderboard_of(read_exported(tmp_path / "out")).splits == board.splits


def test_a_suite_without_splits_has_no_such_section(tmp_path: Path) -> None:
    board = leaderboard_of(stored(tmp_path, values({}), last=last))
    assert board.splits == ()
    assert "Where the gain comes from" not in to_markdown(board)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["base", "zzz"], "there is no row 'zzz'; known: "),
        (["base", "labeled"], "there is no row 'labeled'; did you mean 'labelled'?"),
        (["base", "selected"], "from 'base' to 'selected' changes selection and labels; each row of a split changes"),
        (["base", "base"], "from 'base' to 'base' changes nothing; each row of a split changes one part"),
        (
            ["base", "other protocol"],
            "from 'base' to 'other protocol' changes more of the protocol than its labels; choose protocols that",
        ),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, names: list[str], said: str) -> None:
    with pytest.raises(SuiteError) as caught:
        plan(tmp_path, values({"S": names}))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_split_has_two_rows(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match="list should have at least 2 items"):
        plan(tmp_path, values({"S": ["base"]}))
