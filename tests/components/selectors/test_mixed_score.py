"""The mixed score against Eq. 9, term by term."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import pytest
import torch
from ddbench_components.selectors._angular import mean_angles

import ddbench
from ddbench import Chosen, ComponentError, Context, Pool, Selector

Array = np.ndarray[Any, Any]
Row = list[float]


def mixed(**params: Any) -> Selector:
    return cast("Selector", ddbench.create("selector", "mixed-score", **params))


def pool_of(images: Array, texts: Array | None, own: int = 0) -> Pool:
    return Pool.from_arrays(
        labels=[own] * len(images),
        class_names=[f"class {c}" for c in range(1 if texts is None else len(texts))],
        fields={"clip.image": images},
        class_fields={} if texts is None else {"clip.text": texts},
    )


def chosen(images: Array, texts: Array, ipc: int, own: int = 0, **params: Any) -> Chosen:
    return cast("Chosen", mixed(**params).select_class(pool_of(images, texts, own), ipc, Context()))


def angle(a: Row, b: Row) -> float:
    norms = math.hypot(*a) * math.hypot(*b)
    cosine = math.fsum(x * y for x, y in zip(a, b, strict=True)) / norms if norms else 0
    return math.acos(min(max(cosine, -1 + 1e-6), 1 - 1e-6))


def margin(image: Row, texts: Sequence[Row], own: int) -> float:
    others = [angle(image, text) for c, text in enumerate(texts) if c != own]
    return min(others, default=0) - angle(image, texts[own])


def diversity(images: Sequence[Row]) -> Row:
    def mean(i: int) -> float:
        to = [angle(images[i], other) for j, other in enumerate(images) if j != i]
        return math.fsum(to) / len(to) if to else 0

    return [mean(i) for i in range(len(images))]


def z_score(values: Row, like: Row) -> Row:
    deviation = statistics.pstdev(values)
    if max(values) - min(values) < 1e-9:
        return [statistics.fmean(like)] * len(values)
    return [
        (v - statistics.fmean(values)) / deviation * statistics.pstdev(like) + statistics.fmean(like) for v in values
    ]


def min_max(values: Row, like: Row) -> Row:
    span = max(values) - min(values)
    if span < 1e-9:
        return [min(like)] * len(values)
    return [(v - min(values)) / span * (max(like) - min(like)) + min(like) for v in values]


NORMALIZE: dict[str, Callable[[Row, Row], Row]] = {"z-score": z_score, "min-max": min_max}


def random_images(rng: np.random.Generator, n: int, d: int) -> Array:
    """Of any length, some of them zero, some copies of others, in some pools all of them."""
    images = rng.normal(size=(n, d)) * rng.choice([1e-3, 1, 1e3], size=(n, 1)) + rng.choice([0, 1])
    images[rng.random(n) < 0.05] = 0
    copies = np.flatnonzero(rng.random(n) < rng.choice([0, 0.3, 1], p=[0.6, 0.3, 0.1]))
    images[copies] = images[rng.integers(n)] if len(copies) == n else images[rng.integers(n, size=len(copies))]
    return images.astype(np.float32)


@pytest.mark.parametrize("normalize", NORMALIZE)
@pytest.mark.parametrize("classes", [1, 2, 100])
def test_random_pools(classes: int, normalize: str) -> None:
    rng = np.random.default_rng(classes)
    for _ in range(40):
        n, d = int(rng.integers(1, 13)), int(rng.integers(2, 9))
        ipc, own, weight = int(rng.integers(1, n + 1)), int(rng.integers(classes)), float(rng.choice([0, 0.05, 0.2, 3]))
        images, texts = random_images(rng, n, d), rng.normal(size=(classes, d)).astype(np.float32)
        choice = chosen(images, texts, ipc, own, normalize=normalize, weight=weight)
        margins = [margin(image, texts.tolist(), own) for image in images.tolist()]
        aligned = NORMALIZE[normalize](diversity(images.tolist()), margins)
        scores = [m + weight * a for m, a in zip(margins, aligned, strict=True)]
        assert choice.indices == sorted(range(n), key=lambda i: (-round(scores[i], 8), i))[:ipc]
        assert choice.scores == pytest.approx([scores[i] for i in choice.indices], abs=1e-9)


def test_worked_by_hand() -> None:
    """Directions at 0°, 10° and 60°, prototypes at 0° and 180°: margins 180°, 160°, 60°, diversities 35°, 30°, 55°.

    Min-max takes 30°…55° to 60°…180°: diversities of 84°, 60° and 180°. At λ = 1 that makes 264°, 220° and 240°.
    """
    degrees = np.deg2rad([10, 60, 0])
    images, texts = np.stack([np.cos(degrees), np.sin(degrees)], axis=1), np.array([[1.0, 0], [-1, 0]])
    choice = chosen(images, texts, 3, normalize="min-max", weight=1)
    assert choice.indices == [2, 1, 0]
    # The clamp holds 0° at 0.08°.
    assert np.rad2deg(choice.scores or []) == pytest.approx([264, 240, 220], abs=0.5)
    assert chosen(images, texts, 3, normalize="min-max", weight=0).indices == [2, 0, 1]


def test_diversity_over_many_blocks_sees_every_pair_once() -> None:
    images = np.random.default_rng(0).normal(size=(2500, 16)).astype(np.float32)
    unit = images.astype(np.float64) / np.linalg.norm(images.astype(np.float64), axis=1, keepdims=True)
    between = np.arccos(np.clip(unit @ unit.T, -1 + 1e-6, 1 - 1e-6))
    np.fill_diagonal(between, 0)
    assert mean_angles(torch.from_numpy(images)).numpy() == pytest.approx(between.sum(1) / 2499, abs=1e-12)


@pytest.mark.parametrize("normalize", NORMALIZE)
def test_copies_are_equal_wherever_they_stand(normalize: str) -> None:
    """Each of 20 samples a hundred times: of the best all copies, in pool order."""
    rng = np.random.default_rng(1)
    images, texts = np.tile(rng.normal(size=(20, 33)), (100, 1)).astype(np.float32), rng.normal(size=(5, 33))
    indices = chosen(images, texts, 250, normalize=normalize, weight=0.5).indices
    first, second, third = indices[0], indices[100], indices[200]
    assert len({i % 20 for i in (first, second, third)}) == 3
    assert indices == [*range(first, 2000, 20), *range(second, 2000, 20), *range(third, 1000, 20)]


def test_where_all_are_equally_diverse_the_margin_decides() -> None:
    """Two samples are as far from each other; so are the axes."""
    rng = np.random.default_rng(2)
    for images in (rng.normal(size=(2, 7)), np.eye(7)):
        texts = rng.normal(size=(3, 7))
        for normalize in NORMALIZE:
            by_margin = chosen(images, texts, len(images), weight=0).indices
            assert chosen(images, texts, len(images), weight=1e6, normalize=normalize).indices == by_margin


def test_what_it_needs() -> None:
    assert (mixed().needs, mixed().needs_class, mixed().seeded) == (("clip.image",), ("clip.text",), False)
    assert mixed(teacher="a").needs == ("a.image",)
    assert mixed(teacher="a").needs_class == ("a.text",)
    assert mixed(teacher="a", prototypes="mean").needs_class == ("a.mean",)


def test_mistakes_are_named() -> None:
    images = np.ones((6, 2))
    broken = np.where(np.arange(6)[:, None] == 3, np.nan, images)
    with pytest.raises(ComponentError, match=r"field 'clip\.image' has NaN or infinite values for class 'class 0'"):
        mixed().select(pool_of(broken, images[:1]), 2, Context())
    with pytest.raises(
        ComponentError, match=r"class field 'clip\.text' has NaN or infinite values for class 'class 0'"
    ):
        mixed().select(pool_of(images, broken[3:4]), 2, Context())
    with pytest.raises(ComponentError, match=r"the pool has no class field 'clip\.text'"):
        mixed().select(pool_of(images, None), 2, Context())
    with pytest.raises(ComponentError, match=r"'clip\.text' is 1 x 5, not 1 x 2: one prototype per class, as wide as"):
        mixed().select(pool_of(images, np.ones((1, 5))), 2, Context())
    with pytest.raises(ComponentError, match="choose 7 of only 6 candidates of class 'class 0'"):
        mixed().select(pool_of(images, images[:1]), 7, Context())
    with pytest.raises(ComponentError, match="parameter 'weight'"):
        mixed(weight=-0.1)
