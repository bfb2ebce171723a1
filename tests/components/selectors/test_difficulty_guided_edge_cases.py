"""Difficulty-guided sampling of unusual pools: equal scores, few images, one class or a hundred."""

from __future__ import annotations

import numpy as np
import pytest
from difficulty_pools import VARIANTS, bin_of, choose, pool_of, random_scores, selector

from ddbench import Chosen, Context, Pool


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("value", [0.0, 0.5, 0.73, 1.0])
def test_equal_scores_stay_as_they_are(variant: str, value: float) -> None:
    """One bin holds all: clipping is no gain, and without it no logarithm can be formed."""
    chosen = choose(pool_of([value] * 20, [value] * 30), 4, variant=variant)
    assert sum(n > 0 for n in chosen.info["available"]) == 1
    assert chosen.info["available"][bin_of(value, 10)] == 20
    assert chosen.info["quota"][bin_of(value, 10)] == 4
    assert chosen.info["filled"] == 0


def test_where_all_thresholds_are_infinitely_far_none_is_applied() -> None:
    chosen = choose(pool_of([0.001] * 10 + [0.002] * 9 + [0.9], [0.5] * 10), 10, variant="released")
    assert (chosen.info["bottom"], chosen.info["top"], chosen.info["divergence"]) == (0, 0, None)
    assert len(chosen.indices) == 10


def test_the_released_code_rounds_to_four_decimals() -> None:
    """0.00004 is 0, 0.00006 is 0.0001."""
    scores = [0.00004, 0.00006] * 10
    chosen = choose(pool_of(scores, scores), 20, variant="released")
    assert {i % 2: s for i, s in zip(chosen.indices, chosen.scores or [], strict=True)} == {0: 0, 1: 0.0001}
    exact = choose(pool_of(scores, scores), 20, variant="paper")
    assert min(exact.scores or []) == pytest.approx(0.00004, rel=1e-3)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("distribution", ["scale", "cliff"])
def test_a_pool_of_exactly_ipc_is_chosen_whole(variant: str, distribution: str) -> None:
    rng = np.random.default_rng(1)
    for ipc in (1, 2, 3, 10, 50):
        pool = pool_of(random_scores(rng, ipc), random_scores(rng, 30))
        assert sorted(choose(pool, ipc, variant=variant, distribution=distribution).indices) == list(range(ipc))


@pytest.mark.parametrize("variant", VARIANTS)
def test_ipc_1_and_fewer_real_images_than_thresholds(variant: str) -> None:
    rng = np.random.default_rng(2)
    for real in (1, 2, 5):
        for ipc in (1, 2, 40):
            chosen = choose(pool_of(rng.beta(0.5, 0.5, 5 * ipc), rng.random(real)), ipc, variant=variant)
            assert sum(chosen.info["quota"]) == ipc
            if ipc < 4:
                assert chosen.info["bottom"] == chosen.info["top"] == 0


@pytest.mark.parametrize("classes", [1, 100])
def test_one_and_a_hundred_classes(classes: int) -> None:
    """Classes do not influence each other."""
    rng = np.random.default_rng(3)
    names = [f"class {c}" for c in range(classes)]
    labels, real_labels = rng.permutation(np.repeat(range(classes), 10)), np.repeat(range(classes), 8)
    logits = rng.normal(size=(len(labels), classes + 2)).astype(np.float32)
    real = Pool.from_arrays(
        labels=real_labels,
        class_names=names,
        fields={"teacher.logits": rng.normal(size=(len(real_labels), classes + 2)).astype(np.float32)},
    )
    columns = np.arange(classes)[::-1].copy()
    pool = Pool.from_arrays(
        labels=labels,
        class_names=names,
        fields={"teacher.logits": logits},
        class_fields={"teacher.column": columns},
        real=real,
    )
    selection = selector(variant="paper").select(pool, 4, Context())
    assert selection.scores is not None
    for c in range(classes):
        exponentials = np.exp(logits[list(selection.per_class[c])].astype(float))
        expected = 1 - exponentials[:, columns[c]] / exponentials.sum(1)
        assert np.array(selection.scores[c]) == pytest.approx(expected)
        alone = selector(variant="paper").select_class(pool.of_class(c), 4, Context())
        assert isinstance(alone, Chosen)
        assert tuple(pool.by_class[c][i] for i in alone.indices) == selection.per_class[c]
        assert selection.info[str(c)] == alone.info
