"""Verdicts of a family: scipy's tests, Holm's adjustment, and agreement of verdict, interval and p-value."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ddbench.stats.against import Case, compare_each, compare_with
from ddbench.stats.samples import Sample
from ddbench.stats.verdicts import Verdict


def sample(*means: float) -> Sample:
    return Sample(tuple((mean,) for mean in means))


def shifted(rng: np.random.Generator, shift: float, sets: int = 5) -> list[float]:
    return [float(value) for value in rng.normal(40 + shift, 1, sets)]


def interval(verdict: Verdict) -> tuple[float, float]:
    assert verdict.interval is not None
    return verdict.interval


def test_independent_rows_are_compared_by_dunnett() -> None:
    rng = np.random.default_rng(2)
    rows = {name: shifted(rng, shift) for name, shift in (("base", 0), ("a", 3), ("b", 0.5), ("c", -3))}
    found = compare_with("base", {name: sample(*means) for name, means in rows.items()}, {}, margin=1)
    others = [rows[name] for name in "abc"]
    theirs = stats.dunnett(*others, control=rows["base"], random_state=np.random.default_rng(0))
    ends = theirs.confidence_interval(0.95)
    for i, name in enumerate("abc"):
        assert found[name].p == pytest.approx(theirs.pvalue[i], abs=2e-3)
        assert interval(found[name]) == pytest.approx((ends.low[i], ends.high[i]), abs=0.02)
        assert (found[name].test, found[name].family, found[name].sets) == ("Dunnett", 3, (5, 5))
    assert [found[name].word for name in "abc"] == ["better", "undecided", "worse"]


def test_paired_rows_are_compared_by_their_differences_and_adjusted_by_holm() -> None:
    rng = np.random.default_rng(4)
    base = shifted(rng, 0)
    rows = {name: [b + shift + rng.normal(0, 0.3) for b in base] for name, shift in (("a", 2), ("b", 0.6), ("c", 0))}
    pairs = {name: list(zip(base, means, strict=True)) for name, means in rows.items()}
    samples = {name: sample(*means) for name, means in {"base": base, **rows}.items()}
    found = compare_with("base", samples, pairs, margin=1)
    p = {name: float(stats.ttest_rel(means, base).pvalue) for name, means in rows.items()}
    first, second, third = sorted(p, key=p.__getitem__)
    by_hand = {first: 3 * p[first], second: max(3 * p[first], 2 * p[second])}
    by_hand[third] = max(by_hand[second], p[third])
    adjusted = {name: min(1, value) for name, value in by_hand.items()}
    assert {name: verdict.p for name, verdict in found.items()} == pytest.approx(adjusted)
    own = stats.ttest_rel(rows[first], base).confidence_interval(1 - 0.05 / 3)
    assert interval(found[first]) == pytest.approx((own.low, own.high))


def test_statsmodels_adjusts_alike() -> None:
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    rng = np.random.default_rng(5)
    rows = {str(i): (shifted(rng, 0), shifted(rng, i / 2)) for i in range(6)}
    cases = {name: Case("other", sample(*other), sample(*own), ()) for name, (other, own) in rows.items()}
    found = compare_each(cases, margin=1)
    p = [stats.ttest_ind(own, other, equal_var=False).pvalue for other, own in rows.values()]
    assert [found[name].p for name in rows] == pytest.approx(multitest.multipletests(p, method="holm")[1])


def test_two_families_share_the_level_by_their_numbers() -> None:
    """One paired row among four comparisons has a quarter of the level; the other three have the rest."""
    rng = np.random.default_rng(6)
    rows = {name: shifted(rng, 0) for name in ("base", "a", "b", "c", "d")}
    samples = {name: sample(*means) for name, means in rows.items()}
    pairs = {"d": list(zip(rows["base"], rows["d"], strict=True))}
    both = compare_with("base", samples, pairs, margin=1)
    assert both["d"].p == pytest.approx(min(1, 4 * stats.ttest_rel(rows["d"], rows["base"]).pvalue))
    alone = compare_with("base", {name: samples[name] for name in ("base", "a", "b", "c")}, {}, margin=1)
    for name in "abc":
        assert both[name].p == pytest.approx(min(1, (alone[name].p or 0) * 4 / 3))
    assert {verdict.family for verdict in both.values()} == {4}


def test_a_row_that_draws_nothing_is_compared_by_its_trainings() -> None:
    base, trainings = [40.0, 41.0, 42.5], (44.0, 44.2, 44.1)
    fixed = Sample((trainings,), fixed=True)
    (found,) = compare_with("base", {"base": sample(*base), "fixed": fixed}, {}, margin=1).values()
    theirs = stats.ttest_ind(trainings, base, equal_var=False)
    assert (found.test, found.p) == ("Welch t", pytest.approx(theirs.pvalue))
    assert interval(found) == pytest.approx(tuple(theirs.confidence_interval(0.95)))
    assert found.reason == "one row has no random step, so it has one set"
    close = Sample(((41.0, 41.2, 41.1),), fixed=True)
    (found,) = compare_with("base", {"base": sample(*base), "fixed": close}, {}, margin=1).values()
    # It cannot have more sets, so none are asked for.
    assert (found.word, found.test, found.sets_needed) == ("undecided", "Welch t", None)


def test_without_a_spread_there_is_no_test_and_the_reason_is_told() -> None:
    one, several = sample(50), sample(40, 41, 42)
    found = compare_with("base", {"base": several, "one": one, "two": sample(40, 43)}, {}, margin=1)
    assert (found["one"].word, found["one"].test, found["one"].difference) == ("undecided", None, 9)
    assert found["one"].reason == "'one' has one set, so its spread is unknown"
    assert found["two"].family == 1
    (found_one,) = compare_with("base", {"base": one, "row": several}, {}, margin=1).values()
    assert found_one.reason == "'base' has one set, so its spread is unknown"
    (missing,) = compare_with("base", {"row": several}, {}, margin=1).values()
    assert (missing.reason, missing.difference) == ("'base' has no result", None)


def test_equal_accuracies_are_equivalent_and_a_difference_without_spread_is_undecided() -> None:
    same = sample(40, 41, 42)
    pairs = {"row": [(40.0, 40.0), (41.0, 41.0), (42.0, 42.0)]}
    assert compare_with("base", {"base": same, "row": same}, pairs, margin=1)["row"].word == "equivalent"
    more = {"row": [(40.0, 45.0), (41.0, 46.0), (42.0, 47.0)]}
    found = compare_with("base", {"base": same, "row": sample(45, 46, 47)}, more, margin=1)["row"]
    assert (found.word, found.sets_needed, found.test, found.p) == ("undecided", None, None, None)
    assert found.reason == "no spread was measured, so nothing tells the difference from chance"


def test_the_rounding_of_binary_fractions_is_no_spread() -> None:
    """42.3 - 40.1, 42.7 - 40.5 and 43.9 - 41.7 differ in their last bits. A t-test of them has p = 1e-30."""
    base, own = (40.1, 40.5, 41.7), (42.3, 42.7, 43.9)
    pairs = list(zip(base, own, strict=True))
    assert len({after - before for before, after in pairs}) > 1
    found = compare_with("base", {"base": sample(*base), "row": sample(*own)}, {"row": pairs}, margin=1)["row"]
    assert (found.word, found.test) == ("undecided", None)
    assert found.difference == pytest.approx(2.2)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 7), st.integers(0, 7), st.floats(0.1, 3))
def test_verdict_interval_and_p_value_agree(seed: int, rows: int, paired: int, margin: float) -> None:
    rng = np.random.default_rng(seed)
    base = shifted(rng, 0, 4)
    means = {str(i): shifted(rng, rng.normal(0, 2), 4) for i in range(rows)}
    pairs = {name: list(zip(base, own, strict=True)) for name, own in list(means.items())[:paired]}
    samples = {name: sample(*own) for name, own in {"base": base, **means}.items()}
    for verdict in compare_with("base", samples, pairs, margin).values():
        low, high = interval(verdict)
        assert verdict.p is not None
        assert (verdict.p < 0.05) == (low > 0 or high < 0)
        if verdict.word == "equivalent":
            assert abs(verdict.difference or 0) < margin
        else:
            assert verdict.word == ("better" if low > 0 else "worse" if high < 0 else "undecided")
        assert (verdict.sets_needed is None) == (verdict.word != "undecided")
        assert not (-margin < low and high < margin) or verdict.word == "equivalent"
        assert math.isclose((low + high) / 2, verdict.difference or 0, abs_tol=1e-9)
