"""Difficulty-guided sampling against its equations in scalars, cases worked by hand, and the published tables."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pytest
from ddbench_components.selectors._difficulty import LogTransform, apportion, histogram

import ddbench
from ddbench import Chosen, ComponentError, Context, Pool, Selector

Array = np.ndarray[Any, Any]
VARIANTS = ["paper", "released"]
TABLES = {
    ("hill", 10): "1 0 1 0 3 3 1 0 0 1",
    ("hill", 20): "1 1 1 2 5 5 2 1 1 1",
    ("hill", 50): "1 3 5 6 10 10 6 5 3 1",
    ("ground", 10): "1 1 1 1 1 1 1 1 1 1",
    ("ground", 20): "2 2 2 2 2 2 2 2 2 2",
    ("ground", 50): "5 5 5 5 5 5 5 5 5 5",
    ("slope", 10): "3 3 1 1 0 0 1 1 0 0",
    ("slope", 20): "5 5 2 2 1 1 1 1 1 1",
    ("slope", 50): "10 10 6 6 5 5 3 3 1 1",
    ("cliff", 10): "6 3 0 1 0 0 0 0 0 0",
    ("cliff", 20): "9 6 1 1 1 1 1 0 0 0",
    ("cliff", 50): "20 15 3 3 2 2 2 1 1 1",
}


def selector(**params: Any) -> Selector:
    return cast("Selector", ddbench.create("selector", "difficulty-guided", **params))


def logits_of(difficulties: Sequence[float] | Array) -> Array:
    """Two outputs, of which the first is the class's: its probability is 1 − difficulty; exactly so at 0, ½ and 1."""
    odds = [
        0.0 if d == 0.5 else math.copysign(800, 0.5 - d) if d in (0, 1) else math.log(1 / d - 1) for d in difficulties
    ]
    return np.array([[o, 0] for o in odds]).reshape(-1, 2)


def pool_of(difficulties: Sequence[float] | Array, real: Sequence[float] | Array | None = None) -> Pool:
    """One class."""
    names = ["terrier", "hound"]
    of_real = None
    if real is not None:
        of_real = Pool.from_arrays(
            labels=[0] * len(real), class_names=names, fields={"teacher.logits": logits_of(real)}
        )
    return Pool.from_arrays(
        labels=[0] * len(difficulties),
        class_names=names,
        fields={"teacher.logits": logits_of(difficulties)},
        class_fields={"teacher.column": [0, 1]},
        real=of_real,
    )


def choose(pool: Pool, ipc: int, seed: int = 0, **params: Any) -> Chosen:
    """``select_class`` for class 0, held to the contract that ``select`` checks."""
    chosen = selector(**params).select_class(pool.of_class(0), ipc, Context(seed=seed))
    assert isinstance(chosen, Chosen)
    assert len(set(chosen.indices)) == len(chosen.indices) == ipc
    assert set(chosen.indices) <= set(range(len(pool.by_class[0])))
    return chosen


# The method in scalars.


def bin_of(value: float, bins: int) -> int:
    return max(k for k in range(bins) if k == 0 or value >= k / bins)


def counts_of(values: Sequence[float], bins: int) -> list[int]:
    found = Counter(bin_of(v, bins) for v in values)
    return [found[k] for k in range(bins)]


def transformed(scores: Sequence[float], variant: str, b: int, t: int, eps: float) -> list[float]:
    """Return the transformed score of each sample, in the given order."""
    n = len(scores)
    order = sorted(range(n), key=lambda i: (scores[i], i))
    ascending = [scores[i] for i in order]
    if variant == "paper":
        clipped = [(s if b <= rank < n - t else 0) + eps for rank, s in enumerate(ascending)]
        low, high = min(clipped), max(clipped)
    else:
        low, high = ascending[min(b, n - 1)], ascending[max(n - 1 - t, 0)]
        clipped = [min(max(s, low), high) for s in ascending]
        low = low or eps
    if high <= low:
        return list(scores)
    logs = [0.0 if x <= low else math.log(x / low) / math.log(high / low) for x in clipped]
    return [logs[order.index(i)] for i in range(n)]


def kl(p: Sequence[float], q: Sequence[float]) -> float:
    return sum(math.inf if b == 0 else a * math.log(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def divergence(scores: Sequence[float], after: Sequence[int], variant: str, bins: int, eps: float, lam: float) -> float:
    n = len(scores)
    p, f, u = [c / n for c in counts_of(scores, bins)], [c / n for c in after], [1 / bins] * bins
    if variant == "paper":
        q = [(x + eps) / (1 + bins * eps) for x in p]
        return lam * kl(f, q) + (1 - lam) * kl(f, u)
    return (lam * kl(p, f) + (1 - lam) * kl(u, f)) / math.log(2)


def largest_remainder(counts: Sequence[int], total: int) -> list[int]:
    exact = [total * c / sum(counts) for c in counts]
    quotas = [math.floor(x + 1e-9) for x in exact]
    for _ in range(total - sum(quotas)):
        worst = max(range(len(counts)), key=lambda i: (round(exact[i] - quotas[i], 9), -i))
        quotas[worst] += 1
    return quotas


def random_scores(rng: np.random.Generator, n: int) -> Array:
    """Continuous, mostly easy; sometimes few different values, exact zeros, or one value alone."""
    scores = rng.beta(rng.choice([0.3, 1, 3]), rng.choice([0.3, 1, 3]), size=n).clip(1e-6, 1 - 1e-6)
    kind = rng.integers(5)
    if kind == 0:
        scores = rng.choice(scores[: max(n // 4, 1)], size=n)
    elif kind == 1:
        scores[rng.random(n) < rng.choice([0.3, 0.95])] = 0
    elif kind == 2:
        scores[:] = scores[0]
    return scores


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_equations_in_scalars(variant: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(150):
        ipc = int(rng.integers(1, 15))
        n, bins = ipc * int(rng.integers(1, 6)), int(rng.choice([2, 5, 10]))
        eps, lam = float(rng.choice([1e-4, 1e-2])), float(rng.choice([0, 0.3, 0.5, 1]))
        scores, real = random_scores(rng, n), random_scores(rng, int(rng.integers(1, 60)))
        chosen = choose(pool_of(scores, real), ipc, variant=variant, bins=bins, epsilon=eps, weight=lam)
        places = 4 if variant == "released" else 12
        seen, seen_real = scores.round(places).tolist(), real.round(places).tolist()

        b, t = chosen.info["bottom"], chosen.info["top"]
        pairs = [(i, j) for i in range(max(ipc // 2, 1)) for j in range(max(ipc // 2, 1))]
        after = {pair: counts_of(transformed(seen, variant, *pair, eps), bins) for pair in pairs}
        terms = {pair: divergence(seen, after[pair], variant, bins, eps, lam) for pair in pairs if lam not in (0, 1)}
        if terms:
            ours = math.inf if chosen.info["divergence"] is None else chosen.info["divergence"]
            assert ours == pytest.approx(terms[b, t], abs=1e-9)
            assert terms[b, t] <= min(terms.values()) + 1e-9
        same = [pair for pair in pairs if after[pair] == after[b, t]]
        assert (b, t) == same[0], "the lowest of equal thresholds"

        assert chosen.info["available"] == after[b, t]
        counts = counts_of(transformed(seen_real, variant, b, t, eps), bins)
        assert chosen.info["quota"] == largest_remainder(counts, ipc)
        where = [bin_of(v, bins) for v in transformed(seen, variant, b, t, eps)]
        drawn = [where[i] for i in chosen.indices]
        met = [min(q, a) for q, a in zip(chosen.info["quota"], after[b, t], strict=True)]
        assert chosen.info["filled"] == ipc - sum(met)
        assert drawn[: sum(met)] == [k for k, m in enumerate(met) for _ in range(m)], "bin by bin, easiest first"
        assert list(chosen.scores or []) == pytest.approx([seen[i] for i in chosen.indices], abs=1e-9)


def test_zero_weight_leaves_out_an_infinite_divergence() -> None:
    """Every transform of ten equal easy and one hard score leaves bins empty: from uniform, it is infinitely far."""
    scores = [0.015] * 10 + [0.95] * 10
    assert choose(pool_of(scores, scores), 4, variant="released", weight=1).info["divergence"] is not None
    assert choose(pool_of(scores, scores), 4, variant="released", weight=0).info["divergence"] is None


# By hand.


def test_histogram_by_hand() -> None:
    """Half-open bins, of which the last is closed."""
    assert histogram(np.array([0, 0.0999, 0.1, 0.35, 0.9, 0.95, 1]), 10).tolist() == [2, 1, 0, 1, 0, 0, 0, 0, 0, 3]
    assert histogram(np.array([[0, 0.5], [0.25, 1]]), 2).tolist() == [[1, 1], [1, 1]]
    assert histogram(np.array([k / 10 for k in range(10)]), 10).tolist() == [1] * 10


@pytest.mark.parametrize(
    ("shape", "total", "quotas"),
    [
        ((5, 3, 2), 10, [5, 3, 2]),
        ((5, 3, 2), 7, [4, 2, 1]),  # 3.5, 2.1, 1.4: the one to give goes to .5
        ((1, 1, 1), 10, [4, 3, 3]),  # equal remainders: to the lowest
        ((0, 1, 0, 1), 3, [0, 2, 0, 1]),
        ((7, 0, 3), 1, [1, 0, 0]),
        ((1300, 0, 0), 50, [50, 0, 0]),
    ],
)
def test_quota_by_hand(shape: Sequence[int], total: int, quotas: list[int]) -> None:
    assert apportion(shape, total) == quotas


def test_equal_remainders_are_equal_though_floats_would_differ() -> None:
    """1/10 · 10 … in floats 3 · 0.1 has another remainder than 0.3; in whole numbers the lowest bin wins every time."""
    for n in range(1, 40):
        for total in range(1, 40):
            quotas = apportion([1] * n, total)
            assert quotas == [total // n + (i < total % n) for i in range(n)]


def test_the_papers_transform_by_hand() -> None:
    """Beyond the thresholds scores are 0, epsilon 0.1 is added to all: the logarithm of 1, 2, 4, 8 to the base 8."""
    transform = LogTransform("paper", 10, 0.1, 0.5)
    scores = np.array([0.9, 0.3, 0.7, 0.1])
    assert transform.apply(scores, 0, 1) == pytest.approx([0, 2 / 3, 1, 1 / 3])
    assert transform.apply(scores, 1, 1) == pytest.approx([0, 2 / 3, 1, 0])
    assert transform.apply(scores, 0, 0) == pytest.approx([1, math.log(2) / math.log(5), math.log(4) / math.log(5), 0])
    assert transform.apply(scores, 2, 2) == pytest.approx(scores), "nothing is left: scores stay"


def test_the_released_transform_by_hand() -> None:
    """Scores beyond the thresholds become the scores at them."""
    transform = LogTransform("released", 10, 1e-4, 0.5)
    scores = np.array([0.8, 0.1, 0.4, 0.2])
    assert transform.apply(scores, 0, 0) == pytest.approx([1, 0, 2 / 3, 1 / 3])
    assert transform.apply(scores, 1, 0) == pytest.approx([1, 0, 0.5, 0])
    assert transform.apply(scores, 1, 1) == pytest.approx([1, 0, 1, 0])
    assert transform.apply(scores, 2, 2) == pytest.approx(scores), "bottom is above top: scores stay"
    assert transform.apply(np.array([0, 0.01, 1]), 0, 0) == pytest.approx([0, 0.5, 1]), "a bottom of 0 is epsilon"
    assert transform.apply(np.array([0.0, 0, 0]), 0, 0).tolist() == [0, 0, 0]


def test_divergences_by_hand() -> None:
    """From (½, ½) to (¼, ¾): 1 − ½ log₂ 3 bits one way, ¾ ln 3 − ln 2 nats the other."""
    before, after = np.array([2, 2]), np.array([[1, 3]])
    for weight in (0, 0.3, 1):
        released = LogTransform("released", 2, 1e-4, weight).divergences(before, after)
        assert released == pytest.approx([1 - math.log2(3) / 2])
        paper = LogTransform("paper", 2, 1e-4, weight).divergences(before, after)
        assert paper == pytest.approx([0.75 * math.log(3) - math.log(2)])
    empty = np.array([[0, 4]])
    assert LogTransform("released", 2, 1e-4, 0.5).divergences(before, empty) == [math.inf]
    assert LogTransform("paper", 2, 1e-4, 0.5).divergences(before, empty) == pytest.approx([math.log(2)])


def test_equal_scores_are_ranked_in_pool_order() -> None:
    """The paper's variant zeroes the first of two equal lowest scores, and the last of two equal highest."""
    transformed_scores = LogTransform("paper", 10, 0.1, 0.5).apply(np.array([0.9, 0.3, 0.3, 0.9]), 1, 1)
    assert transformed_scores == pytest.approx([1, 0, math.log(4) / math.log(10), 0])


# Quotas from tables.


@pytest.mark.parametrize(("name", "ipc"), TABLES)
def test_tables(name: str, ipc: int) -> None:
    table = [int(x) for x in TABLES[name, ipc].split()]
    assert sum(table) == ipc
    pool = pool_of(np.linspace(0.01, 0.99, 5 * ipc))
    assert choose(pool, ipc, distribution=name).info["quota"] == table


@pytest.mark.parametrize(
    ("name", "ipc", "quota"),
    [
        ("hill", 1, "0 0 0 0 1 0 0 0 0 0"),
        ("slope", 15, "5 5 2 1 0 0 1 1 0 0"),  # halfway: the table of 10
        ("hill", 30, "2 2 2 3 8 7 3 1 1 1"),  # the table of 20 by 1.5
        ("cliff", 35, "16 10 2 2 2 2 1 0 0 0"),  # halfway: the table of 20
        ("cliff", 100, "40 30 6 6 4 4 4 2 2 2"),
    ],
)
def test_tables_are_scaled_to_other_ipcs(name: str, ipc: int, quota: str) -> None:
    info = choose(pool_of(np.linspace(0.01, 0.99, 5 * ipc)), ipc, distribution=name).info
    assert info["quota"] == [int(x) for x in quota.split()]


def test_tables_need_no_real_images_and_ten_bins() -> None:
    assert selector().needs == selector().needs_real == ("teacher.logits",)
    assert selector(teacher="resnet").needs == selector(teacher="resnet").needs_real == ("resnet.logits",)
    assert selector(teacher="resnet").needs_class == ("resnet.column",)
    assert selector(distribution="hill").needs_real == ()
    assert selector().default_pool == "5x"
    assert selector().seeded
    with pytest.raises(ComponentError, match="distribution 'hill' is a table of 10 bins, not 5"):
        selector(distribution="hill", bins=5)


# Draws.


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


# Which columns.


def test_all_columns_or_the_classes_alone() -> None:
    """Logits ln (2, 1, 3, 4) in four columns, classes in the third and the first: 1 − 3/10, or 1 − 3/5."""
    pool = Pool.from_arrays(
        labels=[0, 0, 1, 1],
        class_names=["a", "b"],
        fields={"teacher.logits": np.log([[2.0, 1, 3, 4]] * 4)},
        class_fields={"teacher.column": [2, 0]},
    )
    everything = selector(distribution="ground").select(pool, 1, Context())
    classes = selector(distribution="ground", columns="classes").select(pool, 1, Context())
    assert everything.scores is not None
    assert classes.scores is not None
    assert np.array(everything.scores) == pytest.approx(np.array([[0.7], [0.8]]))
    assert np.array(classes.scores) == pytest.approx(np.array([[0.4], [0.6]]))


# Degenerate classes.


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
    exact = choose(pool_of(scores, scores), 20)
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
    selection = selector().select(pool, 4, Context())
    assert selection.scores is not None
    for c in range(classes):
        exponentials = np.exp(logits[list(selection.per_class[c])].astype(float))
        expected = 1 - exponentials[:, columns[c]] / exponentials.sum(1)
        assert np.array(selection.scores[c]) == pytest.approx(expected)
        alone = selector().select_class(pool.of_class(c), 4, Context())
        assert isinstance(alone, Chosen)
        assert tuple(pool.by_class[c][i] for i in alone.indices) == selection.per_class[c]
        assert selection.info[str(c)] == alone.info


# Mistakes.


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
