"""The probability of a false verdict or of a false rank, and the power, by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from ddbench.stats import against
from ddbench.stats.against import Pairs, compare_with
from ddbench.stats.dunnett import critical_value
from ddbench.stats.ranks import ranks_of
from ddbench.stats.samples import Sample
from ddbench.stats.verdicts import Design

ROWS, BOARDS, SD = 14, 6000, 1.1


def board(
    rng: np.random.Generator, sets: int, shift: float = 0, paired: int = 0
) -> tuple[dict[str, Sample], dict[str, Pairs]]:
    """Return fourteen rows, of which the first is the baseline and ``paired`` ones share its noise."""
    means = rng.normal(40, SD, (ROWS, sets))
    means[1 : 1 + paired] = means[0] + rng.normal(0, SD / 2, (paired, sets))
    means[-1] += shift
    rows = {str(i): Sample(tuple((float(value),) for value in own)) for i, own in enumerate(means)}
    pairs = {str(i): list(zip(rows["0"].units, rows[str(i)].units, strict=True)) for i in range(1, 1 + paired)}
    return rows, pairs


@pytest.fixture(autouse=True)
def _no_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the prices, and the p-values of Dunnett's test. They take most of the time and decide nothing."""
    monkeypatch.setattr(Design, "more_units", lambda self, margin: None)
    monkeypatch.setattr(against, "within_probability", lambda *_: 0.5)


@pytest.mark.slow
@pytest.mark.parametrize("paired", [0, 6])
@pytest.mark.parametrize("sets", [3, 5, 10])
def test_equal_rows_are_told_apart_in_at_most_five_percent_of_boards(sets: int, paired: int) -> None:
    """Count boards with any row that is better than the baseline, or with any two separated ranks.

    The standard error of a share of 5 % of 6,000 boards is 0.28 points. So a true share of 5 % passes by the limit of
    two standard errors, and one of 6.2 % does not.
    """
    rng = np.random.default_rng(sets)
    wrong = 0
    for _ in range(BOARDS):
        rows, pairs = board(rng, sets, paired=paired)
        verdicts = compare_with("0", rows, pairs, margin=1).values()
        ranks = ranks_of(rows).values()
        wrong += any(v.word == "better" for v in verdicts) or any(rank.high < ROWS for rank in ranks)
    assert wrong / BOARDS <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / BOARDS)


@pytest.mark.slow
@pytest.mark.parametrize("sets", [3, 5, 10])
def test_two_points_are_found_as_often_as_theory_says(sets: int) -> None:
    """The statistic has a noncentral t distribution, with the degrees of freedom of all rows."""
    rng = np.random.default_rng(sets)
    found = sum(
        compare_with("0", board(rng, sets, shift=2)[0], {}, margin=0.01)[str(ROWS - 1)].word == "better"
        for _ in range(BOARDS)
    )
    freedom = ROWS * (sets - 1)
    limit = critical_value(0.05, sets, (sets,) * (ROWS - 1), freedom)
    expected = float(stats.nct.sf(limit, freedom, 2 / (SD * math.sqrt(2 / sets))))
    assert found / BOARDS == pytest.approx(expected, abs=3 * math.sqrt(expected * (1 - expected) / BOARDS))
