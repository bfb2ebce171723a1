"""The selectors that look at no feature: first and random."""

from __future__ import annotations

from collections import Counter
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ddbench
from ddbench import ComponentError, Context, Pool, Selector

FIRST = cast("Selector", ddbench.create("selector", "first"))
RANDOM = cast("Selector", ddbench.create("selector", "random"))
PATH = cast("Selector", ddbench.create("selector", "random", order="path"))


def pool_of(ids: list[str], labels: list[int] | None = None, classes: int = 1) -> Pool:
    names = [f"class {c}" for c in range(classes)]
    return Pool.from_arrays(labels=labels or [0] * len(ids), class_names=names, sample_ids=ids)


def chosen_ids(selector: Selector, pool: Pool, ipc: int, seed: int = 0) -> list[str]:
    return [pool.sample_ids[i] for i in selector.select(pool, ipc, Context(seed=seed)).indices]


def test_first_is_pool_order() -> None:
    pool = pool_of(["b", "z", "a", "y"], [0, 1, 0, 1], 2)
    assert chosen_ids(FIRST, pool, 1) == ["b", "z"]
    assert chosen_ids(FIRST, pool, 2) == ["b", "a", "z", "y"]
    assert FIRST.default_pool == "1x"
    assert RANDOM.default_pool == "4x"


def test_path_order_is_lexicographic() -> None:
    """With 0.png … 99.png and IPC 10 the released code takes 0, 1, 10, 11, …, 17."""
    pool = pool_of([f"{i}.png" for i in range(100)])
    assert chosen_ids(PATH, pool, 10) == [f"{i}.png" for i in (0, 1, 10, 11, 12, 13, 14, 15, 16, 17)]
    assert not PATH.seeded
    assert chosen_ids(PATH, pool, 10, seed=1) == chosen_ids(PATH, pool, 10, seed=2)


@given(order=st.permutations(range(12)), seed=st.integers(0, 1000), ipc=st.integers(1, 12))
@settings(max_examples=100, deadline=None)
def test_random_is_nested_and_blind_to_pool_order(order: list[int], seed: int, ipc: int) -> None:
    ids = [f"img-{i}" for i in range(12)]
    whole = chosen_ids(RANDOM, pool_of(ids), 12, seed)
    assert sorted(whole) == sorted(ids)
    assert chosen_ids(RANDOM, pool_of([ids[i] for i in order]), ipc, seed) == whole[:ipc]


def test_random_depends_on_seed_and_class() -> None:
    ids = [f"{i:03d}" for i in range(200)]
    pool = pool_of(ids, [i % 2 for i in range(200)], 2)
    assert RANDOM.seeded
    assert chosen_ids(RANDOM, pool, 10, seed=0) != chosen_ids(RANDOM, pool, 10, seed=1)
    places = RANDOM.select(pool, 10, Context()).per_class
    assert [i // 2 for i in places[0]] != [i // 2 for i in places[1]]


def test_random_is_uniform() -> None:
    """Each of 10 samples is drawn first in a tenth of 2,000 seeds: chi-squared with 9 degrees, 99.9 % point 27.9."""
    pool = pool_of([str(i) for i in range(10)])
    counts = Counter(RANDOM.select(pool, 1, Context(seed=seed)).indices[0] for seed in range(2000))
    assert sum((counts[i] - 200) ** 2 / 200 for i in range(10)) < 27.9


@pytest.mark.parametrize("selector", [FIRST, RANDOM, PATH])
def test_a_pool_of_exactly_ipc_and_one_too_small(selector: Selector) -> None:
    pool = pool_of(["c", "a", "b"])
    assert sorted(chosen_ids(selector, pool, 3)) == ["a", "b", "c"]
    with pytest.raises(ComponentError, match="choose 4 of only 3 candidates of class 'class 0'"):
        selector.select(pool, 4, Context())
