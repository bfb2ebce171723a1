"""Dunnett's test by quadrature: scipy, published critical values, and Student's t with one group."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from ddbench.stats.dunnett import critical_value, within_probability


@pytest.mark.parametrize("sizes", [(5, 5, 5, 5), (3, 5, 2, 9), (4, 6), (10,) * 14])
def test_scipy_gives_the_same_probabilities(sizes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(len(sizes))
    control, *groups = [rng.normal(i / 3, 1, size) for i, size in enumerate(sizes)]
    theirs = stats.dunnett(*groups, control=control, random_state=np.random.default_rng(0))
    freedom = sum(sizes) - len(sizes)
    for statistic, p in zip(theirs.statistic, theirs.pvalue, strict=True):
        # scipy integrates by random numbers, to about three digits.
        assert 1 - within_probability(abs(statistic), sizes[0], sizes[1:], freedom) == pytest.approx(p, abs=2e-3)


@pytest.mark.parametrize(("groups", "freedom", "value"), [(2, 10, 2.57), (3, 10, 2.76), (4, 20, 2.65)])
def test_critical_values_are_those_of_published_tables(groups: int, freedom: int, value: float) -> None:
    """Two-sided values at 5 % of C. W. Dunnett, Biometrics 20 (1964), table II, rounded to two digits."""
    assert critical_value(0.05, 7, (7,) * groups, freedom) == pytest.approx(value, abs=0.0051)


@pytest.mark.parametrize("freedom", [2, 8, 300])
@pytest.mark.parametrize("level", [0.1, 0.05, 0.001])
def test_one_group_is_a_t_test(freedom: int, level: float) -> None:
    assert critical_value(level, 4, (7,), freedom) == pytest.approx(stats.t.isf(level / 2, freedom), rel=1e-4)
