"""Pools that difficulty-guided sampling cannot choose from, and the messages that say so."""

from __future__ import annotations

import numpy as np
import pytest
from difficulty_pools import choose, pool_of, selector

from ddbench import ComponentError, Context, Pool


def test_missing_real_images_are_named() -> None:
    with pytest.raises(ComponentError, match="'difficulty-guided' has no real images of class 'terrier'") as error:
        choose(pool_of([0.1, 0.2, 0.3]), 2)
    assert "distribution" in str(error.value.hint)
    with pytest.raises(ComponentError, match="no real images of class 'terrier'"):
        choose(pool_of([0.1, 0.2, 0.3], []), 2)


def test_too_few_candidates_are_named() -> None:
    pool = pool_of([0.1, 0.2, 0.3], [0.5])
    with pytest.raises(ComponentError, match="choose 4 of only 3 candidates of class 'terrier'"):
        selector().select(pool, 4, Context())


@pytest.mark.parametrize("where", ["pool", "real"])
def test_nan_logits_are_named(where: str) -> None:
    good, bad = [0.1, 0.2, 0.3], [0.1, float("nan"), 0.3]
    pool = pool_of(bad, good) if where == "pool" else pool_of(good, bad)
    with pytest.raises(ComponentError, match=r"field 'teacher\.logits' has NaN or infinite values for class 'terrier'"):
        choose(pool, 2)


@pytest.mark.parametrize("column", [2, -1])
def test_a_column_that_the_teacher_does_not_have_is_named(column: int) -> None:
    pool = Pool.from_arrays(
        labels=[0, 0],
        class_names=["terrier"],
        fields={"teacher.logits": np.zeros((2, 2))},
        class_fields={"teacher.column": [column]},
    )
    with pytest.raises(ComponentError, match=r"'teacher\.column' names a column outside the 2 of 'teacher\.logits'"):
        choose(pool, 1, distribution="ground")


def test_missing_fields_are_named() -> None:
    bare = Pool.from_arrays(labels=[0, 0], class_names=["terrier"], fields={"teacher.logits": np.zeros((2, 2))})
    with pytest.raises(ComponentError, match=r"no class field 'teacher\.column'"):
        choose(bare, 1, distribution="ground")
    with pytest.raises(ComponentError, match=r"no field 'resnet\.logits'"):
        choose(bare, 1, teacher="resnet", distribution="ground")
