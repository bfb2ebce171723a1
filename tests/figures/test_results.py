"""Figures of accuracies: the numbers drawn are those of the results, worked out by hand."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbench.figures import NothingToDrawError, Source, draw
from ddbench.figures.source import usual_ipc
from ddbench.figures.style import spread
from tests.figures.scene import figure, lines, panel
from tests.plan.plans import Values, edited
from tests.report.stores import stored

pytest.importorskip("matplotlib")


def _rows(values: Values) -> None:
    values["ipc"] = [1, 4]
    values["seeds"] = {"generation": [0], "selection": [0], "training": [0, 1]}
    noise = {"generator": "loud", "selector": "random"}
    center = {"use": "k-center", "field": "teacher.embedding"}
    values["methods"] = {
        "2x": {**noise, "pool": "2x"},
        "3x": {**noise, "pool": "3x"},
        "l2": {"generator": "real", "selector": {**center, "metric": "l2"}},
        "cosine": {"generator": "real", "selector": {**center, "metric": "cosine"}},
    }


# The mean accuracy of each row at IPC 1 and at IPC 4. Its two trainings are 1 above and 1 below.
MEANS = {"2x": (20, 60), "3x": (30, 50), "l2": (40, 45), "cosine": (35, 70)}
STD = 2**0.5


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    results = stored(
        tmp_path_factory.mktemp("results") / "suite",
        edited(_rows),
        last=lambda cell: MEANS[cell.row.name][cell.ipc == 4] + 2 * cell.training_seed - 1,
    )
    return Source(results, usual_ipc(results))


def test_lines_are_means_with_standard_deviations(source: Source) -> None:
    (axes,) = figure(source, "accuracy").axes
    drawn = lines(axes)
    assert drawn.keys() == MEANS.keys()
    for name, (x, y, halves) in drawn.items():
        assert x == [1, 4]
        assert y == pytest.approx(MEANS[name])
        assert halves == pytest.approx([STD, STD])
    assert axes.get_ylabel() == "top-1 accuracy (%)"
    assert axes.get_xlabel() == "images per class"


def test_the_heatmap_has_a_box_at_the_best_pool_of_each_ipc(source: Source) -> None:
    (axes,) = figure(source, "pool-size").axes
    told = {text.get_position(): text.get_text() for text in axes.texts}
    assert told == {(0, 0): "20.0 ± 1.4", (1, 0): "60.0 ± 1.4", (0, 1): "30.0 ± 1.4", (1, 1): "50.0 ± 1.4"}
    np.testing.assert_allclose(axes.images[0].get_array(), [[0, 1], [1, 0]])
    assert [text.get_text() for text in axes.get_yticklabels()] == ["2 × IPC", "3 × IPC"]
    centres = {tuple(np.round(box.get_center(), 6)) for box in axes.patches}
    assert centres == {(0, 1), (1, 0)}


def test_settings_of_one_selector_share_a_panel(source: Source) -> None:
    drawn = figure(source, "signals")
    (axes,) = drawn.axes
    assert panel(drawn, "k-center") is axes
    assert {name: y for name, (_, y, _) in lines(axes).items()} == {
        name: pytest.approx(MEANS[name]) for name in ("l2", "cosine")
    }


def test_one_ipc_gives_points(tmp_path: Path) -> None:
    values = edited(_rows)
    values["ipc"] = [4]
    results = stored(tmp_path / "suite", values, last=lambda cell: MEANS[cell.row.name][1] + cell.training_seed)
    source = Source(results, 4)
    (axes,) = figure(source, "signals").axes
    assert {c.get_label(): c.lines[0].get_xdata()[0] for c in axes.containers} == {"l2": 45.5, "cosine": 70.5}
    with pytest.raises(NothingToDrawError, match="two IPCs"):
        draw(source, "accuracy")


def test_curves_are_means_over_trainings(source: Source) -> None:
    (axes,) = figure(source, "curves").axes
    (drawn,) = (line for line in axes.lines if line.get_label() == "l2")
    epochs = list(range(20, 2001, 20))
    assert drawn.get_xdata().tolist() == epochs
    assert drawn.get_ydata() == pytest.approx([10 + epoch / 100 for epoch in epochs])


def test_an_unfinished_row_is_left_out(tmp_path: Path) -> None:
    results = stored(tmp_path / "suite", edited(_rows), done=lambda cell: cell.row.name != "3x", last=lambda cell: 50)
    (axes,) = figure(Source(results, 4), "accuracy").axes
    assert lines(axes).keys() == {"2x", "l2", "cosine"}
    with pytest.raises(NothingToDrawError, match="no rows"):
        draw(Source(results, 4), "pool-size")


@given(st.lists(st.floats(0, 100), min_size=1, max_size=20), st.floats(0.1, 5))
def test_labels_are_apart_and_in_order(values: list[float], gap: float) -> None:
    places = spread(values, gap, 0, 100)
    order = sorted(range(len(values)), key=lambda i: (values[i], places[i]))
    apart = [places[b] - places[a] for a, b in itertools.pairwise(order)]
    assert all(distance >= gap - 1e-6 for distance in apart)
    assert all(-1e-6 <= place <= 100 + 1e-6 for place in places), "twenty labels have room"


@given(st.lists(st.integers(0, 10), min_size=1, max_size=10, unique=True))
def test_labels_with_room_stay(values: list[int]) -> None:
    assert spread([float(v) for v in values], 0.9, 0, 10) == pytest.approx(values)
