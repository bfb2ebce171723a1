"""Scores in a leaderboard: which rows they compare, and when they are withheld."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ddbench.report.exported import read_exported
from ddbench.report.exporting import export_results
from ddbench.report.leaderboard import leaderboard_of
from ddbench.report.markdown import to_markdown
from ddbench.report.results import Results
from ddbench.report.scores import Score
from ddbench.stats.scores import gap, improvement, recovered, robustness
from ddbench.suite import Cell
from tests.plan.plans import SUITE, Values
from tests.report.stores import pages, stored

FIRST, RANDOM, CENTER = (SUITE["methods"][name] for name in ("loud first", "real random", "real center"))
VALUES: Values = {
    **SUITE,
    "ipc": [1],
    "seeds": {"generation": [0, 1], "selection": "generation", "training": [0, 1]},
    "methods": {
        "Random": RANDOM,
        "Random, smoke": {**RANDOM, "protocol": "smoke@1"},
        "Full": {**CENTER, "protocol": {"extends": "smoke@1", "epochs": 50}},
        "Loud": FIRST,
        "Loud, smoke": {**FIRST, "protocol": "smoke@1"},
        "Alone": {**FIRST, "protocol": "psr-kd@1", "labels": "soft"},
    },
    "twins": {"plain": {"augmentation": "none"}},
    "scores": {"random": ["Random", "Random, smoke"], "full": "Full", "twin": "plain"},
}
MEANS = {"Random": 40, "Random, smoke": 30, "Full": 90, "Loud": 50, "Loud, smoke": 52, "Alone": 60}


def accuracy(cell: Cell) -> float:
    """Rows have their own mean and spread of sets; without augmentation they are 5 points lower, random images 8."""
    name = cell.row.name.removesuffix(", plain")
    plain = 0 if name == cell.row.name else 8 if name.startswith("Random") else 5
    # The full data is the same for every seed.
    seed = 0 if name == "Full" else cell.generation_seed
    return MEANS[name] - plain + cell.ipc + 3 * seed + cell.training_seed


def sets(row: str, plain: int = 0) -> list[list[float]]:
    """Return the accuracies of a row at IPC 1."""
    return [[MEANS[row] - plain + 1 + 3 * seed + training for training in (0, 1)] for seed in (0, 1)]


def scored(results: Results) -> dict[tuple[str, int], Score]:
    return {(score.method, score.ipc): score for score in leaderboard_of(results).scores}


def test_a_row_is_compared_with_random_images_under_its_protocol(tmp_path: Path) -> None:
    found = scored(stored(tmp_path, VALUES, last=accuracy))
    assert list(found) == [("Loud", 1), ("Loud, smoke", 1), ("Alone", 1)]
    # It has one set, as its selector has no seeds.
    full = [[MEANS["Full"] + 1 + training for training in (0, 1)]]
    for row, random in (("Loud", "Random"), ("Loud, smoke", "Random, smoke")):
        score = found[row, 1]
        assert score.random == random
        assert score.over_random == improvement(sets(row), sets(random))
        assert score.recovered is not None
        assert score.below_full == gap(sets(row), full)
        assert score.recovered == recovered(sets(row), sets(random), full)
        assert score.robustness == robustness(sets(row), sets(row, 5), sets(random), sets(random, 8))
    alone = found["Alone", 1]
    assert (alone.random, alone.over_random, alone.recovered, alone.robustness) == (None, None, None, None)
    assert alone.below_full is not None


def test_full_data_of_one_ipc_is_that_of_every_ipc(tmp_path: Path) -> None:
    methods = {name: VALUES["methods"][name] for name in ("Random", "Full", "Loud")}
    values = {**VALUES, "ipc": [1, 2], "methods": methods, "twins": {}, "scores": {"random": "Random", "full": "Full"}}
    own = [[value + 1 for value in trainings] for trainings in sets("Loud")]
    for full, exclude in ((1, [{"method": "Full", "ipc": 2}]), (2, [])):
        found = scored(stored(tmp_path / str(full), {**values, "exclude": exclude}, last=accuracy))
        assert found["Loud", 2].below_full == gap(own, [[MEANS["Full"] + full, MEANS["Full"] + full + 1]])


def test_full_data_of_another_ipc_never_stands_for_missing_trainings(tmp_path: Path) -> None:
    methods = {name: VALUES["methods"][name] for name in ("Random", "Full", "Loud")}
    values = {**VALUES, "ipc": [1, 2], "methods": methods, "twins": {}, "scores": {"random": "Random", "full": "Full"}}
    found = scored(stored(tmp_path, values, done=lambda cell: (cell.row.name, cell.ipc) != ("Full", 2), last=accuracy))
    assert found["Loud", 1].below_full is not None
    assert found["Loud", 2].below_full is None


def test_labels_decide_between_rows_of_one_protocol(tmp_path: Path) -> None:
    soft = {"labels": "soft", "protocol": "psr-kd@1"}
    other = {"labels": {"use": "soft", "when": "after-refine"}, "protocol": "psr-kd@1"}
    methods = {"Random": {**RANDOM, **other}, "Random, smoke": {**RANDOM, **soft}, "Alone": {**FIRST, **soft}}
    values = {**VALUES, "methods": methods, "twins": {}, "scores": {"random": ["Random", "Random, smoke"]}}
    assert scored(stored(tmp_path, values, last=accuracy))["Alone", 1].random == "Random, smoke"


@pytest.mark.parametrize(
    ("missing", "left"),
    [
        ("Loud", set()),
        ("Random", {"below_full"}),
        ("Full", {"over_random", "robustness"}),
        ("Loud, plain", {"over_random", "below_full", "recovered"}),
        ("Random, plain", {"over_random", "below_full", "recovered"}),
    ],
)
def test_a_score_is_withheld_while_a_training_is_missing(tmp_path: Path, missing: str, left: set[str]) -> None:
    def done(cell: Cell) -> bool:
        return (cell.row.name, cell.training_seed) != (missing, 1)

    score = scored(stored(tmp_path, VALUES, done=done, last=accuracy)).get(("Loud", 1))
    parts = ("over_random", "below_full", "recovered", "robustness")
    assert {part for part in parts if score and getattr(score, part) is not None} == left


def test_an_export_has_the_same_scores(tmp_path: Path) -> None:
    results = stored(tmp_path, VALUES, last=accuracy)
    export_results(results, tmp_path / "out")
    assert pages(read_exported(tmp_path / "out")) == pages(results)


def test_the_page_has_a_section_of_scores(tmp_path: Path) -> None:
    page = to_markdown(leaderboard_of(stored(tmp_path, VALUES, last=accuracy)))
    section = page.split("## Scores")[1].partition("\n## ")[0]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines()]
    (cells,) = (line for line in lines if line[0] == "Loud" and line[3:4] == ["1"])
    # Two set means, 3 apart, on each side: 10 ± t(2) × sqrt(4.5 / 2 × 2).
    assert cells[:6] == ["Loud", "minimax-hard@1", "pixels (name=p)", "1", "Random", "10.0 [0.9, 19.1]"]
    assert "arXiv:2505.13300" in page


def test_a_column_without_values_is_left_out_with_its_reason(tmp_path: Path) -> None:
    values = {**VALUES, "scores": {"random": ["Random", "Random, smoke"]}}
    section = to_markdown(leaderboard_of(stored(tmp_path, values, last=accuracy))).split("## Scores")[1]
    header, note = (next(line for line in section.splitlines() if start in line) for start in ("| me", "Left out"))
    assert [cell.strip() for cell in header.strip("|").split("|")][4:] == ["random", "over random"]
    assert [name for name in ("over random", "below full", "recovered", "augmentation") if f"*{name}*: " in note] == [
        "below full",
        "recovered",
        "augmentation",
    ]


def test_without_scores_there_is_no_section(tmp_path: Path) -> None:
    values: dict[str, Any] = {key: value for key, value in VALUES.items() if key != "scores"}
    assert "## Scores" not in to_markdown(leaderboard_of(stored(tmp_path, values, last=accuracy)))
