"""Means of sets, their deviation and their interval; rows with one set."""

from __future__ import annotations

import math

import pytest

from ddbench.stats.samples import Sample, pooled_variance, spread_of


def test_each_set_counts_once() -> None:
    """The sets' means are 10, 12 and 17: mean 13, deviation √13; t with two degrees of freedom is 4.3027."""
    spread = spread_of(Sample(((9, 11), (12,), (16, 17, 18))))
    half = 4.302653 * math.sqrt(13 / 3)
    assert (spread.mean, spread.sets, spread.trainings, spread.unit, spread.note) == (13, 3, 6, "sets", "")
    assert spread.sd_sets == pytest.approx(math.sqrt(13))
    assert spread.interval == pytest.approx((13 - half, 13 + half))


def test_one_set_has_no_interval_however_often_students_are_trained() -> None:
    spread = spread_of(Sample(((9, 10, 11),)))
    assert (spread.mean, spread.sd_sets, spread.interval) == (10, None, None)
    assert spread.note == "one distilled set, so the spread of sets is unknown"


def test_a_set_that_all_seeds_give_has_an_interval_over_trainings_that_says_so() -> None:
    spread = spread_of(Sample(((9, 10, 11),), fixed=True))
    half = 4.302653 / math.sqrt(3)
    assert (spread.sd_sets, spread.unit) == (None, "trainings")
    assert spread.interval == pytest.approx((10 - half, 10 + half))
    assert spread.note == "no step of the row is random, so all seeds give one set; the interval covers trainings only"


def test_the_pooled_variance_weighs_by_degrees_of_freedom() -> None:
    """Variances 2 (1 degree of freedom) and 1 (2); a row of one set adds nothing."""
    rows = [Sample(((1,), (3,))), Sample(((1,), (2,), (3,))), Sample(((100,),))]
    assert pooled_variance(rows) == (pytest.approx((2 + 2) / 3), 3)
    assert pooled_variance(rows[2:]) == (0, 0)
