"""Mean and standard deviation against their definitions."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbench.stats.summary import binomial_standard_error, summarise


def test_by_hand() -> None:
    summary = summarise([1.0, 2.0, 4.0])
    assert summary.n == 3
    assert summary.mean == pytest.approx(7 / 3)
    # Squares of -4/3, -1/3, 5/3 sum to 42/9; divided by n - 1 = 2.
    assert summary.std == pytest.approx(math.sqrt(42 / 9 / 2))
    assert str(summary) == "2.3 ± 1.5"


def test_the_spread_of_one_value_is_unknown_not_zero() -> None:
    summary = summarise([41.25])
    assert (summary.n, summary.mean, summary.std) == (1, 41.25, None)
    assert str(summary) == "41.2"


def test_the_spread_of_equal_values_is_zero() -> None:
    assert str(summarise([30.0, 30.0])) == "30.0 ± 0.0"


@given(st.lists(st.floats(0, 100), min_size=2, max_size=30))
def test_against_exact_arithmetic(values: list[float]) -> None:
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    variance = sum((value - mean) ** 2 for value in exact) / (len(exact) - 1)
    summary = summarise(values)
    assert summary.std is not None
    assert summary.mean == pytest.approx(float(mean), rel=1e-12)
    assert summary.std == pytest.approx(math.sqrt(variance), rel=1e-9, abs=1e-12)
    assert summarise(values[::-1]) == summary, "the order of seeds does not matter"


@given(right=st.integers(0, 400), images=st.integers(400, 5000))
def test_the_binomial_standard_error_is_that_of_a_share(right: int, images: int) -> None:
    share = right / images
    expected = 100 * math.sqrt(share * (1 - share) / images)
    assert binomial_standard_error(100 * share, images) == pytest.approx(expected)


def test_the_binomial_standard_error_on_500_images() -> None:
    assert binomial_standard_error(50, 500) == pytest.approx(2.236, abs=1e-3)
