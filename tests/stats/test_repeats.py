"""Intervals and verdicts against tables, the density of Student's t, and cases worked by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ddbench.stats.repeats import agrees, mean_interval, repeats

values = st.lists(st.floats(0, 100), min_size=2, max_size=30)


def test_by_hand() -> None:
    # Squares of -4/3, -1/3, 5/3 sum to 14/3: the deviation is √(7/3), the standard error √7/3; t is 4.303 (2 degrees).
    interval = mean_interval([1.0, 2.0, 4.0])
    assert interval == pytest.approx((7 / 3 - 4.302653 * math.sqrt(7) / 3, 7 / 3 + 4.302653 * math.sqrt(7) / 3))


# Two-sided 95 % quantiles from printed tables.
@pytest.mark.parametrize(
    ("n", "quantile"), [(2, 12.706), (3, 4.303), (5, 2.776), (10, 2.262), (20, 2.093), (31, 2.042)]
)
def test_quantiles_of_printed_tables(n: int, quantile: float) -> None:
    low, high = mean_interval([50.0] * (n - 1) + [60.0]) or (0, 0)
    # One of n differs by 10: the sum of squares is 100 (n - 1)/n, the standard error 10/n.
    assert (high - low) / 2 == pytest.approx(quantile * 10 / n, rel=2e-4)
    assert (high + low) / 2 == pytest.approx(50 + 10 / n)


def density(t: float, degrees: int) -> float:
    """Student's, from its definition."""
    scale = math.gamma((degrees + 1) / 2) / math.gamma(degrees / 2) / math.sqrt(degrees * math.pi)
    return scale * (1 + t * t / degrees) ** (-(degrees + 1) / 2)


@given(values)
def test_the_interval_holds_95_percent_of_students_density(sample: list[float]) -> None:
    n, mean = len(sample), math.fsum(sample) / len(sample)
    error = math.sqrt(math.fsum((value - mean) ** 2 for value in sample) / (n - 1) / n)
    assume(error > 1e-6)
    low, high = mean_interval(sample) or (0, 0)
    assert (low + high) / 2 == pytest.approx(mean, abs=1e-9)
    # Over the angle whose tangent is t/√degrees, the density is smooth and the range short.
    degrees, steps = n - 1, 400
    angles = [math.atan((high - mean) / error / math.sqrt(degrees)) * i / steps for i in range(steps + 1)]
    heights = [
        density(math.sqrt(degrees) * math.tan(a), degrees) * math.sqrt(degrees) / math.cos(a) ** 2 for a in angles
    ]
    inside = sum((a + b) / 2 * (y - x) for (x, y), (a, b) in zip(pairwise(angles), pairwise(heights), strict=True))
    assert 2 * inside == pytest.approx(0.95, abs=1e-3)


@given(values, st.floats(-50, 50), st.floats(0.1, 10))
def test_an_interval_moves_and_stretches_with_its_values(sample: list[float], shift: float, factor: float) -> None:
    low, high = mean_interval(sample) or (0, 0)
    moved = mean_interval([factor * value + shift for value in sample])
    assert moved == pytest.approx((factor * low + shift, factor * high + shift), abs=1e-6)


def test_one_unit_has_no_interval() -> None:
    assert mean_interval([30.0]) is None
    one = repeats([[30.0]])
    assert (one.sizes, one.mean, one.std, one.interval, one.counted) == ((1,), 30.0, None, None, "1 set × 1")


def test_of_one_set_the_trainings_are_the_units() -> None:
    found = repeats([[1.0, 2.0, 4.0]])
    assert (found.counted, found.interval) == ("1 set × 3", mean_interval([1.0, 2.0, 4.0]))
    assert str(found) == "2.3 ± 1.5"


def test_of_several_sets_the_sets_are() -> None:
    found = repeats([[10.0, 12.0], [14.0, 16.0], [9.0, 11.0]])
    # The means 11, 15, 10 deviate by -1, 3, -2; the six values by -2, 0, 2, 4, -3, -1 from the same mean.
    assert found.counted == "3 sets × 2"
    assert found.interval == pytest.approx((12 - 4.302653 * math.sqrt(7 / 3), 12 + 4.302653 * math.sqrt(7 / 3)))
    assert (found.mean, found.std) == pytest.approx((12, math.sqrt(34 / 5)))


def test_sets_of_unequal_size_each_count_once() -> None:
    found = repeats([[10.0], [20.0, 22.0, 24.0]])
    assert (found.mean, found.interval) == (16.0, mean_interval([10.0, 22.0]))
    assert (found.sizes, found.counted) == ((3, 1), "2 sets, 4 trainings")


@given(st.permutations([[10.0, 11.0], [20.0], [30.0, 31.0, 35.0]]))
def test_the_order_of_sets_does_not_matter(sets: list[list[float]]) -> None:
    assert repeats(sets) == repeats([[10.0, 11.0], [20.0], [30.0, 31.0, 35.0]])


@pytest.mark.parametrize(
    ("mean", "std", "verdict"),
    [(15.0, 0.0, True), (20.0, 0.0, True), (20.25, 0.25, True), (20.5, 0.25, False), (9.0, 1.0, True), (8.5, 1, False)],
)
def test_a_printed_number_agrees_up_to_its_own_deviation(mean: float, std: float, verdict: bool) -> None:
    assert agrees(mean, std, (10.0, 20.0)) is verdict
