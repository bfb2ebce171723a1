"""Two one-sided tests at their limits, and the price of a decision against a search by brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ddbench.stats.against import Case, compare_each
from ddbench.stats.samples import Sample
from ddbench.stats.verdicts import Design, Word, equivalence_power, power


def design(difference: float, error: float = 1.0, variance: float = 4.0) -> Design:
    """Return a design whose two-sided interval reaches 2 to each side and whose inner one 1.5."""
    return Design(difference, variance, 5, error, limit=2, inner=1.5, freedom=8, freedom_per_unit=2)


@pytest.mark.parametrize(
    ("difference", "margin", "word"),
    [
        (2.01, 1, "better"),
        (-2.01, 1, "worse"),
        (1.99, 1, "undecided"),
        (0.0, 1.51, "equivalent"),
        (0.0, 1.49, "undecided"),
        (0.4, 1.91, "equivalent"),
        (-0.4, 1.89, "undecided"),
        # It is surely above 0, and surely below the margin.
        (2.5, 4.1, "equivalent"),
    ],
)
def test_words(difference: float, margin: float, word: Word) -> None:
    assert design(difference).word(margin) == word


def test_two_one_sided_tests_are_those_of_scipy() -> None:
    """A difference is equivalent if both one-sided t-tests against the margin have p below 5 %."""
    rng = np.random.default_rng(0)
    found = {True: 0, False: 0}
    for _ in range(60):
        own, other = rng.normal(0, 1, 6), rng.normal(0, 1, 6)
        margin = float(rng.uniform(0.5, 2.5))
        above = stats.ttest_ind(own, other - margin, equal_var=False, alternative="greater").pvalue
        below = stats.ttest_ind(own, other + margin, equal_var=False, alternative="less").pvalue
        samples = [Sample(tuple((float(value),) for value in values)) for values in (other, own)]
        word = compare_each({"row": Case("other", *samples, ())}, margin)["row"].word
        assert (word == "equivalent") == (max(above, below) < 0.05)
        found[word == "equivalent"] += 1
    assert min(found.values()) > 5


def test_power_is_that_of_statsmodels() -> None:
    solver = pytest.importorskip("statsmodels.stats.power").TTestIndPower()
    for sets, shift in ((5, 2.0), (20, 0.8), (3, 4.0)):
        freedom = 2 * (sets - 1)
        limit = stats.t.isf(0.025, freedom)
        own = power(shift * math.sqrt(sets / 2), limit, freedom)
        # The other side of the two-sided test has almost no power.
        assert own == pytest.approx(solver.power(shift, sets, 0.05), abs=1e-3)


def test_power_of_equivalence_by_simulation() -> None:
    """The sum of both one-sided powers minus 1 is a lower bound, exact where both are large."""
    rng, sets, margin = np.random.default_rng(0), 12, 1.5
    own, other = rng.normal(0.2, 1, (20_000, sets)), rng.normal(0, 1, (20_000, sets))
    difference = own.mean(axis=1) - other.mean(axis=1)
    errors = np.sqrt((own.var(axis=1, ddof=1) + other.var(axis=1, ddof=1)) / sets)
    inner = float(stats.t.isf(0.05, 2 * (sets - 1)))
    share = (abs(difference) + inner * errors < margin).mean()
    found = equivalence_power(0.2, margin, math.sqrt(2 / sets), inner, 2 * (sets - 1))
    assert found == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize(("difference", "margin"), [(1.2, 1.0), (0.6, 1.0), (0.1, 1.0), (-0.5, 1.0)])
def test_the_price_is_the_smallest_number_that_decides(difference: float, margin: float) -> None:
    """Two rows of five sets with deviation 1: search all numbers of sets with scipy's noncentral distribution."""
    values = np.array([-1.2649, -0.6325, 0, 0.6325, 1.2649])
    other, own = (Sample(tuple((float(value),) for value in values + shift)) for shift in (0, difference))
    found = compare_each({"row": Case("other", other, own, ())}, margin)["row"]
    variance = 2 * float(values.var(ddof=1))
    for sets in range(6, 400):
        freedom, error = 2 * (sets - 1), math.sqrt(variance / sets)
        better = stats.nct.sf(stats.t.isf(0.025, freedom), freedom, abs(difference) / error)
        inner = stats.t.isf(0.05, freedom)
        above, below = (stats.nct.sf(inner, freedom, (margin + sign * difference) / error) for sign in (1, -1))
        equivalent = above + below - 1 if abs(difference) < margin else 0
        if max(better, equivalent) >= 0.8:
            break
    assert found.word == "undecided"
    assert found.sets_needed == sets - 5


def test_a_price_beyond_all_reason_is_none() -> None:
    assert design(0.5, variance=1e9).more_units(1) is None
