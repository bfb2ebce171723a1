"""Differences of rows, by hand and against scipy's own tests."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ddbench.stats.differences import independent_difference, paired_difference

ACCURACIES = st.lists(st.floats(0, 100), min_size=2, max_size=6)


def test_pairs_by_hand() -> None:
    """Differences of 3, 2 and 5: mean 10/3, deviation √(7/3), t with two degrees of freedom 4.3027."""
    found = paired_difference([(50, 53), (52, 54), (54, 59)])
    half = 4.302653 * math.sqrt(7 / 3) / math.sqrt(3)
    assert (found.mean, found.sets, found.paired) == (pytest.approx(10 / 3), (3, 3), True)
    assert found.interval == pytest.approx((10 / 3 - half, 10 / 3 + half))


def test_independent_sets_by_hand() -> None:
    """Two rows of two sets with equal deviations: as many degrees of freedom as Student's test, two."""
    found = independent_difference([1, 3], [5, 7])
    # Each variance is 2, so the standard error is √(2/2 + 2/2).
    half = 4.302653 * math.sqrt(2)
    assert (found.mean, found.sets, found.paired) == (4, (2, 2), False)
    assert found.interval == pytest.approx((4 - half, 4 + half))


@given(before=ACCURACIES, after=ACCURACIES)
def test_independent_sets_as_scipy_does(before: list[float], after: list[float]) -> None:
    if len(set(before)) == 1 or len(set(after)) == 1:
        return
    expected = stats.ttest_ind(after, before, equal_var=False).confidence_interval(0.95)
    assert independent_difference(before, after).interval == pytest.approx(tuple(expected), abs=1e-6)


def test_one_set_has_no_interval() -> None:
    assert independent_difference([1.0], [5.0, 7.0]).interval is None
    assert independent_difference([1.0, 3.0], [5.0]).mean == 3
    assert paired_difference([(1.0, 4.0)]).interval is None


def test_sets_without_spread_have_an_interval_without_width() -> None:
    assert independent_difference([2.0, 2.0], [3.0, 3.0]).interval == (1, 1)
