"""The draws of difficulty-guided sampling: uniform within a bin, and each class with its own."""

from __future__ import annotations

import numpy as np
from difficulty_pools import choose, logits_of, pool_of, selector

from ddbench import Context, Pool


def test_a_bin_is_drawn_from_uniformly() -> None:
    """Ten easy, ten hard; half of the real ones are hard: 2 of each ten. Chi-squared, 9 degrees, 99.9 %: 27.9."""
    scores = [0.01] * 10 + [0.95] * 10
    pool, times = pool_of(scores, [0.01, 0.95]), np.zeros(20)
    for seed in range(500):
        chosen = choose(pool, 4, seed=seed)
        assert sorted(i // 10 for i in chosen.indices) == [0, 0, 1, 1]
        assert chosen.info["filled"] == 0
        times[list(chosen.indices)] += 1
    for ten in (times[:10], times[10:]):
        # Two are drawn without replacement: the variance is 8/9 of that of independent draws.
        assert ((ten - 100) ** 2 / 100).sum() * 10 / 8 < 27.9 * 1.1


def test_a_short_bin_gives_all_and_the_rest_is_filled_from_all_that_is_left() -> None:
    """Real images are hard and 3 of 23 candidates are: these are taken, and 3 of the 20 others, uniformly."""
    scores = [0.01] * 10 + [0.95] * 3 + [0.2] * 10
    pool, times = pool_of(scores, [0.02] + [0.95] * 99), np.zeros(23)
    for seed in range(500):
        chosen = choose(pool, 6, seed=seed, variant="released")
        assert chosen.info["quota"] == [0] * 9 + [6]
        assert chosen.info["filled"] == 3
        assert set(chosen.indices[:3]) == {10, 11, 12}
        times[list(chosen.indices)] += 1
    rest = np.concatenate([times[:10], times[13:]])
    # 20 equal shares: chi-squared with 19 degrees of freedom, 99.9 % point 43.8.
    assert ((rest - 75) ** 2 / 75).sum() < 43.8


def test_classes_have_their_own_draws() -> None:
    logits = np.tile(logits_of(np.linspace(0.01, 0.99, 40)), (2, 1))
    pool = Pool.from_arrays(
        labels=[0] * 40 + [1] * 40,
        class_names=["a", "b"],
        fields={"teacher.logits": logits},
        class_fields={"teacher.column": [0, 0]},
    )
    a, b = selector(distribution="ground").select(pool, 10, Context()).per_class
    assert [i + 40 for i in a] != list(b)
