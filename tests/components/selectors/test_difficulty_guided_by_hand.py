"""The parts of difficulty-guided sampling, in cases worked by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from ddbench_components.selectors._difficulty import LogTransform, apportion, histogram
from difficulty_pools import choose, pool_of, selector

from ddbench import Context, Pool


def test_histogram_by_hand() -> None:
    """Half-open bins, of which the last is closed."""
    assert histogram(np.array([0, 0.0999, 0.1, 0.35, 0.9, 0.95, 1]), 10).tolist() == [2, 1, 0, 1, 0, 0, 0, 0, 0, 3]
    assert histogram(np.array([[0, 0.5], [0.25, 1]]), 2).tolist() == [[1, 1], [1, 1]]
    assert histogram(np.array([k / 10 for k in range(10)]), 10).tolist() == [1] * 10


@pytest.mark.parametrize(
    ("shape", "total", "quotas"),
    [
        ((5, 3, 2), 10, [5, 3, 2]),
        ((5, 3, 2), 7, [4, 2, 1]),  # 3.5, 2.1, 1.4: the one to give goes to .5
        ((1, 1, 1), 10, [4, 3, 3]),  # equal remainders: to the lowest
        ((0, 1, 0, 1), 3, [0, 2, 0, 1]),
        ((7, 0, 3), 1, [1, 0, 0]),
        ((1300, 0, 0), 50, [50, 0, 0]),
    ],
)
def test_quota_by_hand(shape: Sequence[int], total: int, quotas: list[int]) -> None:
    assert apportion(shape, total) == quotas


def test_equal_remainders_are_equal_though_floats_would_differ() -> None:
    """1/10 · 10 … in floats 3 · 0.1 has another remainder than 0.3; in whole numbers the lowest bin wins every time."""
    for n in range(1, 40):
        for total in range(1, 40):
            quotas = apportion([1] * n, total)
            assert quotas == [total // n + (i < total % n) for i in range(n)]


def test_the_papers_transform_by_hand() -> None:
    """Beyond the thresholds scores are 0, epsilon 0.1 is added to all: the logarithm of 1, 2, 4, 8 to the base 8."""
    transform = LogTransform("paper", 10, 0.1, 0.5)
    scores = np.array([0.9, 0.3, 0.7, 0.1])
    assert transform.apply(scores, 0, 1) == pytest.approx([0, 2 / 3, 1, 1 / 3])
    assert transform.apply(scores, 1, 1) == pytest.approx([0, 2 / 3, 1, 0])
    assert transform.apply(scores, 0, 0) == pytest.approx([1, math.log(2) / math.log(5), math.log(4) / math.log(5), 0])
    assert transform.apply(scores, 2, 2) == pytest.approx(scores), "nothing is left: scores stay"


def test_the_released_transform_by_hand() -> None:
    """Scores beyond the thresholds become the scores at them."""
    transform = LogTransform("released", 10, 1e-4, 0.5)
    scores = np.array([0.8, 0.1, 0.4, 0.2])
    assert transform.apply(scores, 0, 0) == pytest.approx([1, 0, 2 / 3, 1 / 3])
    assert transform.apply(scores, 1, 0) == pytest.approx([1, 0, 0.5, 0])
    assert transform.apply(scores, 1, 1) == pytest.approx([1, 0, 1, 0])
    assert transform.apply(scores, 2, 2) == pytest.approx(scores), "bottom is above top: scores stay"
    assert transform.apply(np.array([0, 0.01, 1]), 0, 0) == pytest.approx([0, 0.5, 1]), "a bottom of 0 is epsilon"
    assert transform.apply(np.array([0.0, 0, 0]), 0, 0).tolist() == [0, 0, 0]


def test_divergences_by_hand() -> None:
    """From (½, ½) to (¼, ¾): 1 − ½ log₂ 3 bits one way, ¾ ln 3 − ln 2 nats the other."""
    before, after = np.array([2, 2]), np.array([[1, 3]])
    for weight in (0, 0.3, 1):
        released = LogTransform("released", 2, 1e-4, weight).divergences(before, after)
        assert released == pytest.approx([1 - math.log2(3) / 2])
        paper = LogTransform("paper", 2, 1e-4, weight).divergences(before, after)
        assert paper == pytest.approx([0.75 * math.log(3) - math.log(2)])
    empty = np.array([[0, 4]])
    assert LogTransform("released", 2, 1e-4, 0.5).divergences(before, empty) == [math.inf]
    assert LogTransform("paper", 2, 1e-4, 0.5).divergences(before, empty) == pytest.approx([math.log(2)])


def test_equal_scores_are_ranked_in_pool_order() -> None:
    """The paper's variant zeroes the first of two equal lowest scores, and the last of two equal highest."""
    transformed_scores = LogTransform("paper", 10, 0.1, 0.5).apply(np.array([0.9, 0.3, 0.3, 0.9]), 1, 1)
    assert transformed_scores == pytest.approx([1, 0, math.log(4) / math.log(10), 0])


def test_all_columns_or_the_classes_alone() -> None:
    """Logits ln (2, 1, 3, 4) in four columns, classes in the third and the first: 1 − 3/10, or 1 − 3/5."""
    pool = Pool.from_arrays(
        labels=[0, 0, 1, 1],
        class_names=["a", "b"],
        fields={"teacher.logits": np.log([[2.0, 1, 3, 4]] * 4)},
        class_fields={"teacher.column": [2, 0]},
    )
    everything = selector(distribution="ground").select(pool, 1, Context())
    classes = selector(distribution="ground", columns="classes").select(pool, 1, Context())
    assert everything.scores is not None
    assert classes.scores is not None
    assert np.array(everything.scores) == pytest.approx(np.array([[0.7], [0.8]]))
    assert np.array(classes.scores) == pytest.approx(np.array([[0.4], [0.6]]))


def warnings_of(caplog: pytest.LogCaptureFixture, ipc: int, **params: Any) -> tuple[int, list[str]]:
    """Choose half of a pool of hard samples; return t, and the warnings."""
    caplog.clear()
    scores = np.random.default_rng(0).beta(0.3, 0.3, size=2 * ipc)
    found = choose(pool_of(scores, scores), ipc, **params)
    return found.info["top"], [record.getMessage() for record in caplog.records]


def test_the_papers_variant_warns_of_many_hard_samples_that_count_as_easy(caplog: pytest.LogCaptureFixture) -> None:
    top, warned = warnings_of(caplog, 40, variant="paper")
    assert top > 10, "the search pushes t up: this pool shows it"
    assert warned == [
        "selector 'difficulty-guided' counts more than IPC/4 of a class's hardest samples as its easiest; "
        "`variant: released` does not"
    ]
    # Two quarters and no more: t is below IPC/2, which is 1 at IPC 3.
    assert warnings_of(caplog, 3, variant="paper") == (0, [])


def test_the_default_is_as_released_and_does_not_warn(caplog: pytest.LogCaptureFixture) -> None:
    assert selector().params == selector(variant="released").params
    assert warnings_of(caplog, 40)[1] == []
