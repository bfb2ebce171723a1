"""Pools that S³ cannot choose from, and the messages that say so."""

from __future__ import annotations

import numpy as np
import pytest
from s3_reference import Problem, selector

from ddbench import ComponentError, Context, Pool


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0])
@pytest.mark.parametrize("whose", ["the pool", "the real images"])
def test_vectors_without_direction_are_named(bad: float, whose: str) -> None:
    features, real = np.ones((2, 2, 2, 3)), np.ones((2, 2, 3))
    (features[1, 1, 0] if whose == "the pool" else real[1, 1])[...] = bad
    with pytest.raises(ComponentError, match=rf"'teacher\.embedding' of {whose} has zero.* for class 'class 1'"):
        Problem(features, real).select()


def test_a_mean_of_zero_is_named() -> None:
    features = np.ones((2, 2, 2, 3))
    features[1, 0, 0] = -1
    with pytest.raises(ComponentError, match="features of class 'class 1' cancel"):
        Problem(features, np.ones((2, 2, 3))).select()


def test_missing_real_images_are_named() -> None:
    pool = Problem(np.ones((2, 2, 2, 3)), np.ones((2, 2, 3))).pool
    assert pool.real is not None
    for real in (None, pool.real.of_class(0)):
        bare = Pool.from_arrays(labels=pool.labels, class_names=pool.class_names, fields=pool.fields, real=real)
        with pytest.raises(ComponentError, match="no real images of class 'class ") as error:
            selector().select(bare, 2, Context())
        assert "real: false" in str(error.value.hint)


def test_too_few_candidates_and_broken_draws_are_named() -> None:
    pool = Problem(np.ones((2, 1, 5, 3)), np.ones((2, 2, 3))).pool
    with pytest.raises(ComponentError, match="choose 6 of only 5 candidates of class 'class 0'"):
        selector().select(pool, 6, Context())
    with pytest.raises(ComponentError, match="cannot divide the 5 candidates of class 'class 0' into draws of 2"):
        selector(grouping="given").select(pool, 2, Context())
    assert len(selector().select(pool, 2, Context()).indices) == 4
