"""Scores beside accuracy: worked by hand, against scipy, and at their limits."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ddbench.stats.scores import gap, improvement, recovered, robustness

ACCURACY = st.floats(1, 99)
SETS = st.lists(ACCURACY, min_size=2, max_size=6).map(lambda values: [[value] for value in values])
T2 = 4.302652729911275  # 97.5 % of Student's t with 2 degrees of freedom


@given(SETS, SETS)
def test_improvement_is_welchs(own: list[list[float]], random: list[list[float]]) -> None:
    found = improvement(own, random)
    values, others = [x for (x,) in own], [x for (x,) in random]
    assert found.value == pytest.approx(sum(values) / len(values) - sum(others) / len(others), abs=1e-9)
    if len({*values}) > 1 and len({*others}) > 1 and max(map(stats.tstd, (values, others))) > 1e-6:
        theirs = stats.ttest_ind(values, others, equal_var=False).confidence_interval(0.95)
        assert found.interval == pytest.approx((theirs.low, theirs.high), rel=1e-6, abs=1e-9)


def test_a_set_counts_once() -> None:
    found = improvement([[50, 52], [54, 56]], [[40], [44]])
    assert found == improvement([[51], [55]], [[40], [44]])
    assert improvement([[50, 54]], [[40, 44]]) == improvement([[50], [54]], [[40], [44]]), "of one set, its trainings"


def test_one_unit_has_no_interval() -> None:
    assert improvement([[50]], [[40], [44]]).interval is None
    assert str(improvement([[50]], [[40], [44]])) == "8.0"
    found = recovered([[50], [52]], [[40], [42]], [[90]])
    assert found is not None
    assert (found.value, found.interval) == (pytest.approx(20.408163265), None)


def test_equal_units_have_an_interval_without_width() -> None:
    assert improvement([[50], [50]], [[40], [40]]).interval == (10, 10)


def test_the_gap_is_that_to_full() -> None:
    assert str(gap([[50], [52]], [[88], [92]])) == "39.0 [{:.1f}, {:.1f}]".format(*_welch([88, 92], [50, 52]))


def _welch(one: list[float], other: list[float]) -> tuple[float, float]:
    found = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    return found.low, found.high


def test_random_recovers_nothing_and_full_all() -> None:
    random, full = [[40], [42], [44]], [[88], [90], [92]]
    none, everything = recovered(random, random, full), recovered(full, random, full)
    assert none is not None
    assert everything is not None
    assert (none.value, everything.value) == (0, 100)


def test_recovery_by_hand() -> None:
    # Means 51, 41, 91: a share of 10 / 50 = 0.2. Each mean has variance 1; the derivatives are 1/50, -0.8/50, -0.2/50.
    # So the variance is (1 + 0.64 + 0.04) / 2500, with 1.68² / (1 + 0.64² + 0.04²) degrees of freedom.
    found = recovered([[50], [52]], [[40], [42]], [[90], [92]])
    half = 100 * stats.t.ppf(0.975, 1.68**2 / (1 + 0.64**2 + 0.04**2)) * math.sqrt(1.68 / 2500)
    assert found is not None
    assert found.value == pytest.approx(20)
    assert found.interval == pytest.approx((20 - half, 20 + half))


def test_recovery_needs_full_data_above_random() -> None:
    own, random = [[50], [52]], [[40], [42]]
    assert recovered(own, random, [[41], [43]]) is None, "within noise"
    assert recovered(own, random, [[30], [31]]) is None
    assert recovered(own, random, [[30]]) is None
    assert recovered(own, [[40], [40]], [[40], [40]]) is None


def test_robustness_by_hand() -> None:
    # With augmentation 51 against 46, without it 41 against 31: b = 0.5 × 0.05 + 0.5 × 0.10 = 0.075.
    # The sets' own means of both are 45, 47 and 37.5, 39.5: their means have variance 1; 2 degrees of freedom.
    found = robustness([[50], [52]], [[40], [42]], [[45], [47]], [[30], [32]])

    def score(b: float) -> float:
        return 100 * (math.exp(b) - math.exp(-1)) / (math.e - math.exp(-1))

    assert found.value == pytest.approx(score(0.075))
    assert f"{found.value:.2f}" == "30.21"
    half = T2 * math.sqrt(2) / 100
    assert found.interval == pytest.approx((score(0.075 - half), score(0.075 + half)))


def test_robustness_of_one_set_varies_by_its_trainings() -> None:
    # Each of the four means has variance 1. With weights of a half the variance is 1, with 4 degrees of freedom.
    found = robustness([[50, 52]], [[40, 42]], [[45, 47]], [[30, 32]])
    half = stats.t.ppf(0.975, 4) / 100
    assert found.interval is not None
    assert math.log(found.interval[0] / 100 * (math.e - math.exp(-1)) + math.exp(-1)) == pytest.approx(0.075 - half)


@pytest.mark.parametrize(("own", "random", "score"), [(50, 50, 26.894142), (100, 0, 100), (0, 100, 0)])
def test_robustness_is_from_0_to_100(own: float, random: float, score: float) -> None:
    assert robustness([[own]], [[own]], [[random]], [[random]]).value == pytest.approx(score)
