"""Quantiles of Student's t: those of tables, and of a library where there is one."""

from __future__ import annotations

import math

import pytest

from ddbench.stats.student_t import t_quantile


@pytest.mark.parametrize(
    ("degrees", "printed"),
    [(1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (9, 2.262), (29, 2.045), (100, 1.984)],
)
def test_the_quantile_is_that_of_tables(degrees: int, printed: float) -> None:
    assert round(t_quantile(0.975, degrees), 3) == printed


def test_two_cases_have_a_closed_form() -> None:
    for p in (0.6, 0.75, 0.9, 0.95, 0.975, 0.995):
        assert t_quantile(p, 1) == pytest.approx(math.tan(math.pi * (p - 0.5)), rel=1e-12)
        assert t_quantile(p, 2) == pytest.approx((2 * p - 1) * math.sqrt(2 / (4 * p * (1 - p))), rel=1e-12)


def test_the_quantile_is_that_of_scipy() -> None:
    special = pytest.importorskip("scipy.special")
    for degrees in (*range(1, 60), 99, 1000):
        for p in (0.6, 0.9, 0.975, 0.995):
            assert t_quantile(p, degrees) == pytest.approx(float(special.stdtrit(degrees, p)), rel=1e-12)
