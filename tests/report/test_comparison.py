"""Our numbers against published ones: which are compared, over what, and when a verdict is given."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from ddbench.api import sha256_json
from ddbench.report.comparison import Comparison
from ddbench.report.exported import read_exported
from ddbench.report.exporting import export_results
from ddbench.report.leaderboard import leaderboard_of
from ddbench.report.markdown import to_markdown
from ddbench.suite import Cell
from tests.plan.plans import edited
from tests.report.stores import VALUES, stored

# Of the means 50, 52, 54: deviation 2, standard error 2/√3, t with two degrees of freedom 4.303.
HALF = 4.302653 * 2 / math.sqrt(3)


def comparisons(folder: Path, **more: Any) -> list[Comparison]:
    return list(leaderboard_of(stored(folder, **more)).comparisons)


def test_each_published_number_of_the_data_set_student_and_ipc_is_compared(tmp_path: Path) -> None:
    found = comparisons(tmp_path)
    assert [(c.method, c.ipc, c.published.mean, c.published.source) for c in found] == [
        ("random", 1, 50.0, "A paper"),
        ("random", 1, 61.0, "Another, table 2"),
        ("first", 1, 40.0, "A paper"),
        ("first", 2, 40.0, "A paper"),
    ]
    assert {(c.student, c.protocol) for c in found} == {("pixels (name=p)", "minimax-hard@1")}


def test_sets_are_the_units_where_there_are_several(tmp_path: Path) -> None:
    near, far = comparisons(tmp_path)[:2]
    assert near.ours is not None
    assert near.ours == far.ours
    assert (near.ours.counted, near.ours.mean) == ("3 sets × 2", 52.0)
    # Six trainings deviate by -3, -1, -1, 1, 1, 3.
    assert near.ours.std == pytest.approx(math.sqrt(22 / 5))
    assert near.ours.interval == pytest.approx((52 - HALF, 52 + HALF))
    assert (near.difference, near.reproduced, far.difference, far.reproduced) == (2.0, True, -9.0, False)


def test_trainings_are_where_a_selector_draws_nothing(tmp_path: Path) -> None:
    first = comparisons(tmp_path)[2]
    assert first.ours is not None
    assert (first.ours.counted, first.expected) == ("1 set × 2", 2)
    # 39 and 41: deviation √2, standard error 1, t with one degree of freedom 12.71.
    assert first.ours.interval == pytest.approx((40 - 12.7062, 40 + 12.7062))


def test_sets_that_turn_out_equal_are_one(tmp_path: Path) -> None:
    ours = comparisons(tmp_path, distilled={"digest": "the same", "size": 3})[0].ours
    assert ours is not None
    assert ours.counted == "1 set × 6"


def test_one_set_of_two_machines_is_one(tmp_path: Path) -> None:
    """Two exports are merged. Each machine made the bits of its sets, and trained with one of the two seeds."""
    for training in (0, 1):
        made = stored(
            tmp_path / str(training),
            done=lambda cell, own=training: cell.training_seed == own,  # type: ignore[misc]
            digest=lambda node, own=training: sha256_json([node.recipe_key, own]),  # type: ignore[misc]
            fingerprint=f"f{training}",
        )
        export_results(made, tmp_path / "out")
    random, _, first, _ = leaderboard_of(read_exported(tmp_path / "out")).comparisons
    assert random.ours is not None
    assert random.ours.counted == "3 sets × 2"
    assert random.ours.interval == pytest.approx((52 - HALF, 52 + HALF))
    assert first.ours is not None
    assert first.ours.counted == "1 set × 2"


def test_no_verdict_while_a_training_is_missing(tmp_path: Path) -> None:
    def done(cell: Cell) -> bool:
        if cell.row.name == "random":
            return (cell.selection_seed, cell.training_seed) != (0, 0)
        return cell.ipc == 1 or cell.training_seed == 1

    board = leaderboard_of(stored(tmp_path, done=done))
    random, _, first, second = board.comparisons
    assert random.ours is not None
    assert (random.ours.counted, random.ours.mean, random.expected) == ("3 sets, 5 trainings", 52 + 1 / 3, 6)
    assert random.ours.interval is not None
    assert (random.reproduced, first.reproduced, second.reproduced) == (None, True, None)
    assert "| 3 sets, 5 trainings (5 of 6) |" in to_markdown(board)


def test_one_unit_has_no_interval_and_no_verdict(tmp_path: Path) -> None:
    values = edited(lambda v: v.update(seeds={"selection": [0], "training": [0]}), VALUES)
    found = comparisons(tmp_path, values=values)[0]
    assert found.ours is not None
    assert (found.ours.counted, found.ours.interval, found.reproduced) == ("1 set × 1", None, None)


def test_nothing_of_ours_is_dashes(tmp_path: Path) -> None:
    board = leaderboard_of(stored(tmp_path, done=lambda cell: cell.row.name != "random"))
    assert (board.comparisons[0].ours, board.comparisons[0].difference, board.comparisons[0].reproduced) == (None,) * 3
    line = next(line for line in to_markdown(board).splitlines() if "Another, table 2" in line)
    assert [cell.strip() for cell in line.strip("|").split("|")][-5:] == ["–"] * 5


LIKE = """\
method,dataset,student,ipc,mean,std,n,source,statistic
Random,dots,pixels (name=p),1,56.0,,,A paper,best of 100
Random,dots,pixels (name=p),1,56.0,0.1,,A paper,last
Random,dots,pixels (name=p),1,56.0,0.1,,A paper,unknown
Random,dots,pixels (name=p),1,56.0,0.1,,A paper,best of 4
First,dots,pixels (name=p),1,40.0,2.0,,A paper,best
"""


def test_best_is_compared_with_best_and_last_with_last(tmp_path: Path) -> None:
    best, last, unknown, fewer, _ = comparisons(tmp_path, numbers=LIKE, gain=4.0)
    assert best.ours is not None
    # The interval of the best means 54, 56 and 58 holds 56; that of the last ones ends at 52 + 4.97.
    assert best.ours.interval == pytest.approx((56 - HALF, 56 + HALF))
    assert (best.difference, best.reproduced) == (0.0, True)
    assert last.ours == unknown.ours != best.ours
    assert (last.difference, last.reproduced) == (unknown.difference, True) == (-4.0, True)
    assert unknown.reproduced is None
    # Our best accuracies are of a hundred evaluations.
    assert (fewer.ours, fewer.reproduced) == (best.ours, None)


def test_a_published_best_waits_for_our_best(tmp_path: Path) -> None:
    result = {"last": 56.0, "best": None, "evaluations": 1, "curve": [[1, 56.0]], "details": {}}
    best, last, *_ = comparisons(tmp_path, numbers=LIKE, result=result)
    assert (best.ours, best.difference, best.reproduced) == (None, None, None)
    assert last.ours is not None


def test_without_a_published_deviation_our_interval_is_not_widened(tmp_path: Path) -> None:
    edge = 52 + HALF + 0.05
    rows = f"Random,dots,pixels (name=p),1,{edge},%s,,A,last\nFirst,dots,pixels (name=p),1,40.0,2.0,,A,last\n"
    header = LIKE.splitlines()[0]
    found = [comparisons(tmp_path / f"s{std}", numbers=f"{header}\n{rows % std}")[0] for std in ("", "0.1")]
    assert [comparison.reproduced for comparison in found] == [False, True]


def test_it_is_in_the_json(tmp_path: Path) -> None:
    found = json.loads(json.dumps(leaderboard_of(stored(tmp_path)).to_json()))["comparisons"][1]
    assert found["published"]["mean"] == 61.0
    assert found["published"]["n"] == 100
    assert found["ours"]["sizes"] == [2, 2, 2]
    assert (found["difference"], found["reproduced"]) == (-9.0, False)


def test_a_suite_without_published_numbers_has_no_such_section(tmp_path: Path) -> None:
    def silent(values: dict[str, Any]) -> None:
        for method in values["methods"].values():
            method.pop("published", None)

    board = leaderboard_of(stored(tmp_path, edited(silent, VALUES)))
    assert board.comparisons == ()
    assert "## Against published numbers" not in to_markdown(board)
