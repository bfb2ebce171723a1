"""k-center and herding against exact arithmetic and float64, written as the definitions read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ddbench
from ddbench import ComponentError, Context, Pool, Selector

Vector = tuple[Fraction, ...]
Array = np.ndarray[Any, Any]
FIELD = "teacher.embedding"


def squared(a: Vector, b: Vector) -> Fraction:
    return sum(((x - y) ** 2 for x, y in zip(a, b, strict=True)), Fraction(0))


def class_mean(points: Sequence[Vector]) -> Vector:
    return tuple(sum(column, Fraction(0)) / len(points) for column in zip(*points, strict=True))


def k_center(points: Sequence[Vector], ipc: int, start: int | None = None) -> list[int]:
    """Choose by definition: start nearest to the mean, then the unused point farthest from its nearest chosen one."""
    if start is None:
        start = min(range(len(points)), key=lambda i: (squared(points[i], class_mean(points)), i))
    chosen = [start]
    while len(chosen) < ipc:
        unused = [i for i in range(len(points)) if i not in chosen]
        chosen.append(max(unused, key=lambda i: (min(squared(points[i], points[j]) for j in chosen), -i)))
    return chosen


def herding(points: Sequence[Vector], ipc: int) -> list[int]:
    """Choose by definition: the unused point nearest to (k + 1) · mean − (sum of the chosen)."""
    mean = class_mean(points)
    chosen: list[int] = []
    for k in range(ipc):
        run = [sum((points[j][d] for j in chosen), Fraction(0)) for d in range(len(mean))]
        target = tuple((k + 1) * m - r for m, r in zip(mean, run, strict=True))
        unused = [i for i in range(len(points)) if i not in chosen]
        chosen.append(min(unused, key=lambda i: (squared(points[i], target), i)))
    return chosen


REFERENCES: dict[str, Callable[[Sequence[Vector], int], list[int]]] = {"k-center": k_center, "herding": herding}


def exact(features: Array) -> list[Vector]:
    return [tuple(Fraction(float(x)) for x in row) for row in features]


def pool_of(features: Array, labels: Sequence[int] | None = None, classes: int = 1) -> Pool:
    return Pool.from_arrays(
        labels=[0] * len(features) if labels is None else labels,
        class_names=[f"class {c}" for c in range(classes)],
        fields={FIELD: features},
    )


def selector(name: str, **params: Any) -> Selector:
    return cast("Selector", ddbench.create("selector", name, **params))


@pytest.mark.parametrize("name", REFERENCES)
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_small_integers_with_ties_duplicates_and_zero_vectors(name: str, data: st.DataObject) -> None:
    """Multiples of 1/4 are exact in float32, so every tie is a true one and must fall to the lowest index."""
    n, d = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 3))
    rows = data.draw(st.lists(st.lists(st.integers(-2, 2), min_size=d, max_size=d), min_size=n, max_size=n))
    ipc = data.draw(st.integers(1, n))
    features = np.array(rows, dtype=np.float32) / 4
    chosen = selector(name).select(pool_of(features), ipc, Context())
    assert list(chosen.indices) == REFERENCES[name](exact(features), ipc)


@pytest.mark.parametrize("name", REFERENCES)
def test_random_features(name: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        n, d = int(rng.integers(2, 16)), int(rng.integers(1, 9))
        features = (rng.normal(size=(n, d)) * rng.choice([1e-3, 1, 1e3])).astype(np.float32)
        features[rng.random(n) < 0.2] = 0
        ipc = int(rng.integers(1, n + 1))
        chosen = selector(name).select(pool_of(features), ipc, Context())
        assert list(chosen.indices) == REFERENCES[name](exact(features), ipc)


def direct(name: str, kinds: Array, rows: Array, ipc: int) -> list[int]:
    """Choose by the definitions in float64 for ``kinds[rows]``, computed once per kind, so duplicates tie exactly."""
    kinds = kinds.astype(np.float64)
    mean, chosen = kinds[rows].mean(0), list[int]()
    for step in range(ipc):
        if name == "k-center" and step:
            worth = np.min([((kinds - kinds[rows[j]]) ** 2).sum(1) for j in chosen], axis=0)[rows]
        else:
            gap = kinds - mean + (kinds[rows[chosen]] - mean).sum(0)
            worth = -(gap**2).sum(1)[rows]
        worth[chosen] = -np.inf
        chosen.append(int(worth.argmax()))
    return chosen


def many_kinds(rng: np.random.Generator, trial: int) -> Array:
    """Gaussian, sparse, clustered or of low rank; from the centre outwards; of unequal columns."""
    n, d = int(rng.integers(50, 200)), int(rng.integers(1, 70))
    kinds = rng.normal(size=(n, d))
    if trial % 4 == 1:
        kinds = np.maximum(kinds, 0)
    elif trial % 4 == 2:
        kinds += 10 * rng.normal(size=(7, d))[rng.integers(0, 7, n)]
    elif trial % 4 == 3:
        kinds = rng.normal(size=(n, 2)) @ rng.normal(size=(2, d))
    if trial % 8 < 4:
        kinds = kinds[np.argsort((kinds**2).sum(1))]
    if trial % 5 == 0:
        kinds *= 10.0 ** rng.integers(-2, 3, d)
    elif trial % 5 == 1:  # The first column drowns the others, and decides nothing.
        kinds[:, 0] = rng.choice([-1000, 1000], n)
    return (kinds * rng.choice([1e-3, 1, 1e3])).astype(np.float32)


@pytest.mark.parametrize("name", REFERENCES)
def test_larger_pools_with_duplicates_anywhere(name: str) -> None:
    rng = np.random.default_rng(7)
    for trial in range(40):
        kinds = many_kinds(rng, trial)
        rows = rng.integers(0, len(kinds), len(kinds))
        rows = np.sort(rows) if trial % 3 else rows
        distinct = len(np.unique(kinds[rows], axis=0))
        chosen = selector(name).select(pool_of(kinds[rows]), distinct, Context())
        assert list(chosen.indices) == direct(name, kinds, rows, distinct)


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("classes", [2, 100])
def test_classes_do_not_influence_each_other(name: str, classes: int) -> None:
    rng = np.random.default_rng(1)
    labels = rng.permutation(np.repeat(np.arange(classes), rng.integers(3, 7, size=classes)))
    features = rng.normal(size=(len(labels), 4)).astype(np.float32)
    chosen = selector(name).select(pool_of(features, labels.tolist(), classes), 3, Context())
    for c in range(classes):
        own = np.flatnonzero(labels == c)
        assert list(chosen.per_class[c]) == own[REFERENCES[name](exact(features[own]), 3)].tolist()


def test_cosine_is_l2_between_unit_vectors() -> None:
    """Integer vectors with integer norms (Pythagorean), so that unit vectors are exact rationals."""
    rng = np.random.default_rng(2)
    triples = np.array([[3, 4], [4, 3], [-3, 4], [5, 12], [12, 5], [8, 15], [-15, 8], [20, 21], [0, 0], [0, 1]])
    for _ in range(50):
        rows = triples[rng.choice(len(triples), size=8, replace=False)]
        scale = 2.0 ** rng.integers(-3, 4, size=8)
        norms = [int(np.hypot(*row)) or 1 for row in rows]
        points = [tuple(Fraction(int(x), n) for x in row) for row, n in zip(rows, norms, strict=True)]
        features = (rows * scale[:, None]).astype(np.float32)
        chosen = selector("k-center", metric="cosine").select(pool_of(features), 8, Context())
        assert list(chosen.indices) == k_center(points, 8)


def test_cosine_ignores_length_and_l2_does_not() -> None:
    features = np.array([[1, 0], [100, 0], [0, 1], [1, 1]], dtype=np.float32)
    l2 = selector("k-center").select(pool_of(features), 2, Context()).indices
    cosine = selector("k-center", metric="cosine").select(pool_of(features), 2, Context()).indices
    assert 1 in l2
    assert cosine == (3, 0)


def test_a_random_start_is_seeded_and_the_rest_is_the_definition() -> None:
    features = np.random.default_rng(3).normal(size=(40, 4)).astype(np.float32)
    random_start = selector("k-center", start="random")
    starts = set()
    for seed in range(20):
        chosen = list(random_start.select(pool_of(features), 6, Context(seed=seed)).indices)
        assert chosen == k_center(exact(features), 6, start=chosen[0])
        assert chosen == list(random_start.select(pool_of(features), 6, Context(seed=seed)).indices)
        starts.add(chosen[0])
    assert len(starts) > 5
    assert random_start.seeded
    assert not selector("k-center").seeded


@pytest.mark.parametrize("name", REFERENCES)
def test_choices_from_one_pool_are_nested(name: str) -> None:
    features = np.random.default_rng(4).normal(size=(60, 8)).astype(np.float32)
    whole = selector(name).select(pool_of(features), 60, Context()).indices
    assert sorted(whole) == list(range(60))
    for ipc in (1, 2, 17, 59):
        assert selector(name).select(pool_of(features), ipc, Context()).indices == whole[:ipc]


def test_far_from_the_origin_no_digits_are_lost() -> None:
    """Near-duplicates at offset 10, where the expanded form of the distance picks wrongly in float32."""
    rng = np.random.default_rng(5)
    features = (10 + 0.001 * rng.normal(size=(60, 16))).astype(np.float32)
    assert list(selector("k-center").select(pool_of(features), 30, Context()).indices) == k_center(exact(features), 30)


def test_herding_matches_the_mean_better_than_chance() -> None:
    """The published inversion (farthest instead of nearest) is worse than random; the right one is far better."""
    rng = np.random.default_rng(6)
    features = np.abs(rng.normal(size=(300, 32))).astype(np.float32)
    mean = features.mean(0)

    def gap(indices: Sequence[int]) -> float:
        return float(np.linalg.norm(features[list(indices)].mean(0) - mean))

    herded = gap(selector("herding").select(pool_of(features), 20, Context()).indices)
    chance = [gap(rng.choice(300, 20, replace=False)) for _ in range(50)]
    assert herded < min(chance) / 2


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_unusable_features_are_named(name: str, bad: float) -> None:
    features = np.ones((6, 2), dtype=np.float32)
    features[4, 1] = bad
    names = ["class 0", "class 1"]
    pool = Pool.from_arrays(labels=[0, 0, 0, 1, 1, 1], class_names=names, fields={"clip.image": features})
    with pytest.raises(ComponentError, match=r"field 'clip\.image' has NaN or infinite values for class 'class 1'"):
        selector(name, field="clip.image").select(pool, 2, Context())


@pytest.mark.parametrize("name", REFERENCES)
def test_needs_is_the_field_asked_for(name: str) -> None:
    assert selector(name).needs == ("teacher.embedding",)
    assert selector(name, field="clip.image").needs == ("clip.image",)


@pytest.mark.parametrize("name", REFERENCES)
def test_a_pool_of_exactly_ipc_one_too_small_and_one_without_the_field(name: str) -> None:
    pool = pool_of(np.eye(3, dtype=np.float32))
    assert sorted(selector(name).select(pool, 3, Context()).indices) == [0, 1, 2]
    with pytest.raises(ComponentError, match="choose 4 of only 3 candidates of class 'class 0'"):
        selector(name).select(pool, 4, Context())
    with pytest.raises(ComponentError, match=r"no field 'clip\.image'"):
        selector(name, field="clip.image").select(pool, 2, Context())
