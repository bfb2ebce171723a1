"""Variance by axis: an analysis of variance by hand, statsmodels, and unequal numbers of repetitions."""

from __future__ import annotations

import numpy as np
import pytest

from ddbench.stats.variance import Row, variance_by_axis

AXES = ("generation", "selection")


def nested(rng: np.random.Generator, sds: tuple[float, float, float], sizes: tuple[int, int, int]) -> Row:
    """Return a row with equal numbers of repetitions."""
    outer, middle, inner = sizes
    rows = []
    for g in range(outer):
        shift = rng.normal(0, sds[0])
        for s in range(middle):
            own = shift + rng.normal(0, sds[1])
            rows += [((g, s), own + rng.normal(0, sds[2])) for _ in range(inner)]
    return rows


def test_two_sets_of_two_trainings_by_hand() -> None:
    """Means 1 and 5; squares within 2 + 2 of two degrees of freedom; between 16 of one: (16 - 2) / 2 = 7."""
    row = [((0, 0), 0.0), ((0, 0), 2.0), ((1, 1), 4.0), ((1, 1), 6.0)]
    assert variance_by_axis([row], AXES) == pytest.approx({"generation and selection": 7, "training": 2})


def test_axes_that_cannot_be_told_apart_are_one() -> None:
    assert variance_by_axis([[((0, 0), 1.0), ((1, 1), 3.0)]], AXES) == {"generation and selection and training": 2}
    assert variance_by_axis([[((0, 0), 1.0), ((0, 1), 3.0)]], AXES) == {"selection and training": 2}
    assert variance_by_axis([[((0, 0), 1.0), ((0, 0), 3.0)]], AXES) == {"training": 2}
    assert variance_by_axis([[((0, 0), 1.0)]], AXES) == {}
    assert variance_by_axis([], AXES) == {}


def test_a_negative_estimate_counts_as_none() -> None:
    row = [((0, 0), 0.0), ((0, 0), 9.0), ((1, 1), 0.0), ((1, 1), 9.0)]
    assert variance_by_axis([row], AXES)["generation and selection"] == 0


def test_rows_have_means_of_their_own() -> None:
    row = [((0, 0), 0.0), ((0, 0), 2.0), ((1, 1), 4.0), ((1, 1), 6.0)]
    shifted = [(path, value + 50) for path, value in row]
    assert variance_by_axis([row, shifted], AXES) == pytest.approx(variance_by_axis([row], AXES))


def test_unequal_numbers_are_not_biased() -> None:
    rng = np.random.default_rng(0)
    row = []
    for g in range(3000):
        shift = rng.normal(0, 2)
        for s in range(rng.integers(1, 5)):
            own = shift + rng.normal(0, 1)
            row += [((g, s), own + rng.normal(0, 0.5)) for _ in range(rng.integers(1, 4))]
    found = variance_by_axis([row], AXES)
    assert found["generation"] == pytest.approx(4, rel=0.1)
    assert found["selection"] == pytest.approx(1, rel=0.1)
    assert found["training"] == pytest.approx(0.25, rel=0.1)


def test_statsmodels_gives_the_same_variances() -> None:
    """With equal numbers, the method of moments and restricted maximum likelihood are one."""
    pd, mixed = pytest.importorskip("pandas"), pytest.importorskip("statsmodels.regression.mixed_linear_model")
    row = nested(np.random.default_rng(3), (2.0, 1.0, 0.5), (12, 4, 3))
    table = pd.DataFrame([(f"g{g}", f"s{s}", value) for (g, s), value in row], columns=["g", "s", "y"])
    model = mixed.MixedLM.from_formula("y ~ 1", groups="g", vc_formula={"s": "0 + C(s)"}, data=table, re_formula="1")
    fit = model.fit(reml=True)
    found = variance_by_axis([row], AXES)
    assert found["generation"] == pytest.approx(fit.cov_re.iloc[0, 0], rel=0.01)
    assert found["selection"] == pytest.approx(fit.vcomp[0], rel=0.01)
    assert found["training"] == pytest.approx(fit.scale, rel=0.01)
