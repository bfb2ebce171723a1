"""The draws of S³: its subgroups, and the real images that give its targets."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest
from s3_reference import Problem, Reference, selector

from ddbench import Context, Pool


def groups_of(problem: Problem, size: int, seed: int = 0, c: int = 0, **params: Any) -> list[list[int]]:
    """Return the subgroups of class ``c``, as sample ids."""
    own = problem.pool.of_class(c)
    groups = cast("Any", selector(**params))._subgroups(own, size, Context(seed=seed))
    return [[int(own.sample_ids[i]) for i in group] for group in groups]


def test_partition_is_disjoint_blocks_of_a_random_permutation() -> None:
    problem = Problem(np.ones((2, 1, 23, 2)), np.ones((2, 1, 2)))
    counts = np.zeros(46)
    for seed in range(400):
        groups = groups_of(problem, 5, seed)
        assert [len(group) for group in groups] == [5, 5, 5, 5]
        assert len({i for group in groups for i in group}) == 20
        counts[groups[0]] += 1
    assert len(groups_of(problem, 5, subgroups=2)) == 2
    assert [[i - 1 for i in group] for group in groups_of(problem, 5, c=1)] != groups_of(problem, 5, c=0)
    own = counts[::2]
    assert counts[1::2].sum() == 0
    expected = 400 * 5 / 23
    # Chi-squared with 22 degrees of freedom: the 99.9 % point is 48.3.
    assert ((own - expected) ** 2 / expected).sum() < 48.3


def test_resample_draws_subsets_that_may_overlap() -> None:
    problem = Problem(np.ones((2, 1, 8, 2)), np.ones((2, 1, 2)))
    groups = groups_of(problem, 5, grouping="resample", subgroups=20)
    assert len(groups) == 20
    assert all(len(set(group)) == 5 and set(group) <= set(range(0, 16, 2)) for group in groups)
    assert len({frozenset(group) for group in groups}) > 5


@pytest.mark.parametrize("grouping", ["partition", "resample"])
def test_drawn_subgroups_are_searched_as_given_ones(grouping: str) -> None:
    rng = np.random.default_rng(13)
    for seed in range(20):
        features, real = rng.normal(size=(3, 1, 17, 4)), rng.normal(size=(3, 3, 4))
        pool, s3 = Problem(features, real).pool, selector(grouping=grouping)
        owns = [pool.of_class(c) for c in range(3)]
        rows = [cast("Any", s3)._subgroups(own, 4, Context(seed=seed)) for own in owns]
        reference = Reference([features[c, 0][rows[c]].tolist() for c in range(3)], real.tolist())
        expected = [sorted(pool.by_class[c][i] for i in rows[c][g]) for c, g in enumerate(reference.descend())]
        assert [list(own) for own in s3.select(pool, 4, Context(seed=seed)).per_class] == expected


def test_the_order_of_the_pool_has_no_influence_on_what_is_drawn() -> None:
    rng = np.random.default_rng(14)
    pool = Problem(rng.normal(size=(3, 1, 20, 4)), rng.normal(size=(3, 9, 4))).pool
    assert pool.real is not None
    for grouping in ("partition", "resample"):
        s3 = selector(grouping=grouping, real_max=4)
        expected = {pool.sample_ids[i] for i in s3.select(pool, 5, Context()).indices}
        for _ in range(10):
            other = pool.subset(rng.permutation(len(pool)).tolist())
            real = pool.real.subset(rng.permutation(len(pool.real)).tolist())
            arrays = {"labels": other.labels, "class_names": other.class_names, "sample_ids": other.sample_ids}
            other = Pool.from_arrays(**arrays, fields=other.fields, real=real)
            assert {other.sample_ids[i] for i in s3.select(other, 5, Context()).indices} == expected


def test_real_images_are_drawn_up_to_a_limit() -> None:
    rng = np.random.default_rng(15)
    problem = Problem(rng.normal(size=(2, 3, 2, 4)), rng.normal(size=(2, 6, 4)))
    for seed in range(10):
        drawn = problem.select(real_max=1, seed=seed).info["log_distance_to_target"]
        for c in range(2):
            each = [Reference(problem.features.tolist(), problem.real[:, [i]].tolist()).a[c] for i in range(6)]
            assert sum(drawn[c] == pytest.approx(one, abs=1e-9) for one in each) == 1
    assert problem.select(real_max=6).info == problem.select(real_max=200, seed=1).info
    assert len({str(problem.select(real_max=3, seed=seed).info["log_distance_to_target"]) for seed in range(9)}) > 1


def test_the_pool_stands_in_for_real_images() -> None:
    rng = np.random.default_rng(16)
    for _ in range(20):
        features = rng.normal(size=(3, 4, 2, 5))
        pool = Problem(features, rng.normal(size=(3, 2, 5))).pool
        bare = Pool.from_arrays(labels=pool.labels, class_names=pool.class_names, fields=pool.fields)
        chosen = selector(real=False, grouping="given").select(bare, 2, Context())
        reference = Reference(features.tolist(), features.reshape(3, 8, 5).tolist())
        assert chosen.info["subgroup"] == reference.descend()
        assert chosen.info["real_centroids"] is False
        assert Problem(features, features.reshape(3, 8, 5)).select().info["real_centroids"] is True
