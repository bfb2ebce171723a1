"""Ranks as intervals: scipy's tests of all pairs, and what they mean."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ddbench.stats.ranks import ranks_of
from ddbench.stats.samples import Sample


def sample(*means: float) -> Sample:
    return Sample(tuple((mean,) for mean in means))


def by_pairs(rows: dict[str, list[float]], alpha: float, **options: bool) -> dict[str, tuple[int, int]]:
    """Return rank intervals from the p-values of scipy's test of all pairs."""
    names = list(rows)
    p = stats.tukey_hsd(*rows.values(), **options).pvalue
    low, high = dict.fromkeys(names, 1), dict.fromkeys(names, len(names))
    for i, j in combinations(range(len(names)), 2):
        if p[i, j] < alpha:
            up, down = (i, j) if np.mean(rows[names[i]]) > np.mean(rows[names[j]]) else (j, i)
            high[names[up]] -= 1
            low[names[down]] += 1
    return {name: (low[name], high[name]) for name in names}


@pytest.mark.parametrize("sizes", [(5,) * 8, (2, 3, 5, 4), (3, 3)])
def test_few_sets_are_ranked_by_tukey_and_kramer(sizes: tuple[int, ...]) -> None:
    rng = np.random.default_rng(sum(sizes))
    rows = {str(i): list(rng.normal(1.5 * i, 1, size)) for i, size in enumerate(sizes)}
    found = ranks_of({name: sample(*means) for name, means in rows.items()}, alpha=0.05)
    assert {name: (rank.low, rank.high) for name, rank in found.items()} == by_pairs(rows, 0.05)
    assert {rank.test for rank in found.values()} == {"Tukey–Kramer"}


def test_six_sets_are_ranked_by_games_and_howell() -> None:
    """Degrees of freedom are rounded down, so nothing is separated that scipy does not separate."""
    rng = np.random.default_rng(1)
    rows = {str(i): list(rng.normal(3 * i, 1 + i, 8)) for i in range(6)}
    found = ranks_of({name: sample(*means) for name, means in rows.items()}, alpha=0.05)
    assert {rank.test for rank in found.values()} == {"Games–Howell"}
    try:
        theirs = by_pairs(rows, 0.05, equal_var=False)
    except TypeError:
        pytest.skip("this scipy has no Games–Howell test")
    for name, rank in found.items():
        assert rank.low <= theirs[name][0]
        assert rank.high >= theirs[name][1]
    assert found["0"].low > 1


def test_a_row_of_one_set_has_no_rank_and_takes_none() -> None:
    rows = {"a": sample(10, 10.2, 9.8), "b": sample(50, 50.2, 49.8), "one": sample(99)}
    found = ranks_of(rows)
    assert {name: (rank.low, rank.high, rank.of) for name, rank in found.items()} == {"a": (2, 2, 2), "b": (1, 1, 2)}


def test_a_single_row_has_no_rank() -> None:
    assert ranks_of({"a": sample(10, 11), "one": sample(99)}) == {}


@pytest.mark.parametrize("sets", [3, 6])
def test_without_a_spread_nothing_is_separated(sets: int) -> None:
    found = ranks_of({"a": sample(*[40.0] * sets), "b": sample(*[42.0] * sets)})
    assert [str(rank) for rank in found.values()] == ["1–2", "1–2"]


def test_a_fixed_set_is_ranked_by_its_trainings_and_leaves_the_pooled_variance_alone() -> None:
    noisy = {"a": sample(10, 14, 6), "b": sample(20, 24, 16), "c": sample(30, 34, 26)}
    fixed = Sample(((90.0, 90.1, 89.9),), fixed=True)
    found = ranks_of({**noisy, "fixed": fixed})
    assert str(found["fixed"]) == "1"
    alone = ranks_of(noisy)
    # Its small variance does not make the others' differences look surer.
    assert [found[name].high - 1 >= alone[name].high - 1 for name in noisy] == [True] * 3


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.integers(0, 100), min_size=2, max_size=5), min_size=2, max_size=6))
def test_ranks_agree_with_the_means(rows: list[list[int]]) -> None:
    samples = {str(i): sample(*map(float, row)) for i, row in enumerate(rows)}
    found = ranks_of(samples)
    for one, other in combinations(samples, 2):
        if samples[one].mean > samples[other].mean:
            assert found[one].low <= found[other].high
    assert all(1 <= rank.low <= rank.high <= len(rows) for rank in found.values())
    assert min(rank.low for rank in found.values()) == 1
    assert max(rank.high for rank in found.values()) == len(rows)
