"""SAS against its equations in float64, one candidate at a time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from ddbench_components.selectors import _sas_stage2 as _exchange
from ddbench_components.selectors._angular import angles, unit
from ddbench_components.selectors._sas_stage2 import exchange
from ddbench_components.selectors.sas import SAS
from hypothesis import given, settings
from hypothesis import strategies as st

import ddbench
from ddbench import Chosen, ComponentError, Context, Pool, Selector
from ddbench.testing import check_component

Array = np.ndarray[Any, Any]
EQUAL = 1e-9
KEEPS = ["earliest", "first-added", "last-added"]


def sas(**params: Any) -> Selector:
    return cast("Selector", ddbench.create("selector", "sas", **params))


def pool_of(images: Array, texts: Array | None = None, labels: Sequence[int] | None = None) -> Pool:
    """As many classes as there are texts, of which all images are of the first unless ``labels`` say otherwise."""
    return Pool.from_arrays(
        labels=[0] * len(images) if labels is None else labels,
        class_names=[f"class {c}" for c in range(1 if texts is None else len(texts))],
        fields={"clip.image": images},
        class_fields={} if texts is None else {"clip.text": texts},
    )


def chosen(pool: Pool, ipc: int, seed: int = 0, **params: Any) -> Chosen:
    return cast("Chosen", sas(**params).select_class(pool, ipc, Context(seed=seed)))


def angular(a: Array, b: Array) -> Array:
    """Eq. 4 for all pairs of rows, as float32 holds them."""

    def direction(rows: Array) -> Array:
        rows = rows.astype(np.float32).astype(np.float64)
        norms = np.sqrt((rows**2).sum(1, keepdims=True))
        return rows / np.where(norms > 0, norms, 1)

    return cast("Array", np.arccos(np.clip(direction(a) @ direction(b).T, -1 + 1e-6, 1 - 1e-6)))


def margin(images: Array, texts: Array, own: int, relevance: bool = True, separation: bool = True) -> Array:
    scores = []
    for to in angular(images, texts).tolist():
        others = to[:own] + to[own + 1 :]
        scores.append((-to[own] if relevance else 0) + (min(others) if separation and others else 0))
    return np.array(scores)


def ranked(scores: Array) -> list[int]:
    """Highest first, of equal ones the earlier first."""
    groups = list[list[int]]()
    for i in sorted(range(len(scores)), key=lambda i: -scores[i]):
        if not groups or scores[groups[-1][-1]] - scores[i] > EQUAL:
            groups.append([])
        groups[-1].append(i)
    return [i for group in groups for i in sorted(group)]


def stage_2(images: Array, order: Sequence[int], ipc: int, keep: str = "earliest") -> tuple[list[int], int]:
    """As it reads: the mean angles of all members to the others, anew for every candidate."""
    between = angular(images, images)
    np.fill_diagonal(between, 0)
    added = {candidate: at for at, candidate in enumerate(order)}
    members, exchanges = list[int](), 0
    for candidate in order:
        members.append(candidate)
        if len(members) > ipc:
            means = between[np.ix_(members, members)].sum(1) / ipc
            equal = [i for i, mean in zip(members, means, strict=True) if mean <= means.min() + EQUAL]
            key = {"earliest": int, "first-added": added.__getitem__, "last-added": lambda i: -added[i]}[keep]
            gone = max(equal, key=key)
            members.remove(gone)
            exchanges += gone != candidate
    return members, exchanges


def offered(images: Array, order: Sequence[int], ipc: int, keep: str = "earliest") -> tuple[list[int], int]:
    """Return the same by the selector's stage 2."""
    precedence = {"earliest": order, "first-added": range(len(order)), "last-added": range(0, -len(order), -1)}[keep]
    features = torch.from_numpy(images.astype(np.float32))
    kept, exchanges = exchange(features, torch.tensor(order), torch.tensor(list(precedence)), ipc)
    return kept.tolist(), exchanges


def random_images(rng: np.random.Generator, n: int, d: int) -> Array:
    """Of any length, about the origin or not, some of them zero, some copies or multiples of others."""
    images = (rng.normal(size=(n, d)) + rng.choice([0.0, 1.0])) * rng.choice([1e-3, 1, 1e3], size=(n, 1))
    images[rng.random(n) < 0.05] = 0
    images = images.astype(np.float32)
    copies = np.flatnonzero(rng.random(n) < rng.choice([0, 0.3]))
    images[copies] = images[rng.integers(n, size=len(copies))] * rng.choice([1, 2], size=(len(copies), 1))
    return images


@pytest.mark.parametrize("keep", KEEPS)
@pytest.mark.parametrize("order", ["margin", "pool"])
@pytest.mark.parametrize("classes", [1, 2, 100])
def test_random_pools(classes: int, order: str, keep: str) -> None:
    rng = np.random.default_rng(classes)
    for _ in range(25):
        n, d = int(rng.integers(1, 25)), int(rng.integers(2, 9))
        ipc, p = int(rng.integers(1, min(n, 8) + 1)), float(rng.choice([0.25, 0.5, 0.75, 1]))
        images, texts, own = random_images(rng, n, d), rng.normal(size=(classes, d)), int(rng.integers(classes))
        choice = chosen(pool_of(images, texts, [own] * n), ipc, p=p, order=order, keep=keep)
        scores = margin(images, texts, own)
        candidates = ranked(scores)[: max(ipc, math.ceil(p * n))]
        kept, exchanges = stage_2(images, candidates if order == "margin" else sorted(candidates), ipc, keep)
        assert choice.indices == [i for i in candidates if i in kept]
        assert choice.scores == pytest.approx(scores[choice.indices], abs=1e-9)
        assert choice.info == {"candidates": len(candidates), "exchanges": exchanges}


@pytest.mark.parametrize("keep", KEEPS)
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_small_integers_are_full_of_ties(keep: str, data: st.DataObject) -> None:
    n, d = data.draw(st.integers(1, 10)), data.draw(st.integers(1, 3))
    rows = data.draw(st.lists(st.lists(st.integers(-1, 1), min_size=d, max_size=d), min_size=n, max_size=n))
    order, ipc = data.draw(st.permutations(range(n))), data.draw(st.integers(1, n))
    kept, exchanges = offered(np.array(rows), order, ipc, keep)
    members, expected = stage_2(np.array(rows), order, ipc, keep)
    assert (sorted(kept), exchanges) == (sorted(members), expected)


def test_worked_by_hand() -> None:
    """Directions in the plane at 100°, 40°, 0°, 90° and 10°; the own prototype at 0°, the other at 180°.

    The margin at θ is 180° − 2θ, and stage 1 at p = 0.8 leaves out 100°. Then 0°, 10° and 40° have mean angles 25°, 20°
    and 35°: 10° leaves. And 0°, 40° and 90° have 65°, 45° and 70°: 40° leaves.
    """
    degrees = np.deg2rad([100, 40, 0, 90, 10])
    images, texts = np.stack([np.cos(degrees), np.sin(degrees)], axis=1), np.array([[3.0, 0], [-0.5, 0]])
    choice = chosen(pool_of(images, texts), 2, p=0.8)
    assert choice.indices == [2, 3]
    assert choice.scores == pytest.approx([math.pi - 2 * math.acos(1 - 1e-6), 0], abs=1e-6)
    assert choice.info == {"candidates": 4, "exchanges": 2}


def typical_first(images: Array) -> list[int]:
    """Nearest the mean direction first: what comes later is more diverse, and most candidates get in."""
    return cast("list[int]", angular(images, images.mean(0, keepdims=True))[:, 0].argsort().tolist())


POOLS: dict[str, Callable[[np.random.Generator, int, int], Array]] = {
    "gaussian": lambda rng, n, d: rng.normal(size=(n, d)),
    "cone": lambda rng, n, d: rng.normal(size=d) + 0.6 * rng.normal(size=(n, d)),
    "narrow": lambda rng, n, d: rng.normal(size=d) + 1e-2 * rng.normal(size=(n, d)),
    "copies": lambda rng, n, d: rng.normal(size=(n // 3, d))[rng.integers(n // 3, size=n)],
    "opposites": lambda rng, n, d: (
        rng.normal(size=(n // 3, d))[rng.integers(n // 3, size=n)] * rng.choice([-1, 1], (n, 1))
    ),
}


@pytest.mark.parametrize("kind", POOLS)
@pytest.mark.parametrize(
    ("n", "d", "ipc"), [(900, 64, 1), (513, 64, 2), (1000, 512, 20), (356, 700, 100), (150, 3, 149)]
)
def test_screening_in_float32_changes_nothing(kind: str, n: int, d: int, ipc: int) -> None:
    """The same set as in float64, over several blocks and whatever comes first."""
    rng = np.random.default_rng(n)
    images = POOLS[kind](rng, n, d).astype(np.float32)
    for order in (typical_first(images), rng.permutation(n).tolist()):
        kept, exchanges = offered(images, order, ipc)
        members, expected = stage_2(images, order, ipc)
        assert (sorted(kept), exchanges) == (sorted(members), expected)


def test_blocks_have_no_influence(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    images = POOLS["cone"](rng, 2000, 32)
    order = typical_first(images)
    expected = offered(images, order, 30)
    assert expected[1] > 200
    for block in (8, 56, 1024, 4096):
        monkeypatch.setattr(_exchange, "_BLOCK", block)
        assert offered(images, order, 30) == expected


def test_where_all_are_one_the_rule_alone_decides() -> None:
    """Within the clamp, 1.4 · 10⁻³ rad, all are equally far from each other; so are zero vectors, at π/2."""
    rng = np.random.default_rng(1)
    close = 1 + 1e-5 * rng.normal(size=(400, 16))
    for images in (close, np.zeros((400, 16)), np.eye(400)):
        order = rng.permutation(400).tolist()
        assert sorted(offered(images, order, 7)[0]) == list(range(7))
        assert sorted(offered(images, order, 7, "first-added")[0]) == sorted(order[:7])
        assert sorted(offered(images, order, 7, "last-added")[0]) == sorted(order[-7:])


def test_the_place_in_the_pool_has_no_influence() -> None:
    """Permuted pools give permuted choices, copies or not."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        images, texts, place = random_images(rng, 40, 9), rng.normal(size=(4, 9)), rng.permutation(40)
        scores = margin(images, texts, 0)
        if len(set(np.round(scores, 7))) == 40:
            expected = chosen(pool_of(images, texts), 7, keep="first-added").indices
            assert place[chosen(pool_of(images[place], texts), 7, keep="first-added").indices].tolist() == expected


def test_copies_are_equal_wherever_they_stand() -> None:
    """Each sample five times, of several lengths."""
    rng = np.random.default_rng(9)
    images, texts = np.tile(rng.normal(size=(301, 77)), (5, 1)), rng.normal(size=(9, 77))
    images *= rng.choice([0.25, 1, 2], size=(len(images), 1))
    scores = margin(images, texts, 0)
    best = scores[:301].argsort()[::-1]
    assert (
        chosen(pool_of(images, texts), 12, diversity=False).indices
        == [i for top in best[:3] for i in range(top, 1505, 301)][:12]
    )
    order = rng.permutation(1505).tolist()
    kept, exchanges = offered(images, order, 60)
    members, expected = stage_2(images, order, 60)
    assert (sorted(kept), exchanges) == (sorted(members), expected)


def test_angles_are_accurate() -> None:
    """Written through the sine where the cosine says little: away from the clamp all digits of float32 input count."""
    theta = np.concatenate([[0.002], np.linspace(0.01, math.pi - 0.01, 5001), [math.pi - 0.002]])
    basis = np.linalg.qr(np.random.default_rng(3).normal(size=(512, 2)))[0].T
    rows = np.stack([np.cos(theta), np.sin(theta)], axis=1) @ basis * 37
    assert angles(unit(torch.from_numpy(rows)) @ torch.from_numpy(basis[0])).numpy() == pytest.approx(theta, abs=1e-9)
    clamped = torch.tensor([1, 1 - 1e-7, -1], dtype=torch.float64)
    limit = math.acos(1 - 1e-6)
    assert angles(clamped).tolist() == pytest.approx([limit, limit, math.pi - limit], abs=1e-9)


@pytest.mark.parametrize(("relevance", "separation"), [(True, False), (False, True), (True, True)])
def test_without_diversity_the_best_are_taken(relevance: bool, separation: bool) -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        images, texts = random_images(rng, 30, 6), rng.normal(size=(5, 6))
        choice = chosen(pool_of(images, texts), 8, relevance=relevance, separation=separation, diversity=False)
        scores = margin(images, texts, 0, relevance, separation)
        assert choice.indices == ranked(scores)[:8]
        assert choice.scores == pytest.approx(scores[choice.indices], abs=1e-9)
        assert not choice.info


@pytest.mark.parametrize(("relevance", "separation"), [(True, False), (False, True)])
def test_one_term_filters_as_the_margin_does(relevance: bool, separation: bool) -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        images, texts = random_images(rng, 30, 6), rng.normal(size=(5, 6))
        choice = chosen(pool_of(images, texts), 8, relevance=relevance, separation=separation)
        candidates = ranked(margin(images, texts, 0, relevance, separation))[:15]
        members, _ = stage_2(images, candidates, 8)
        assert choice.indices == [i for i in candidates if i in members]


def test_diversity_alone_is_stage_2_over_the_whole_class() -> None:
    images = random_images(np.random.default_rng(6), 30, 6)
    only = sas(relevance=False, separation=False, p=0.3)
    choice = chosen(pool_of(images), 8, relevance=False, separation=False, p=0.3)
    assert choice.indices == sorted(stage_2(images, range(30), 8)[0])
    assert choice.scores is None
    assert choice.info["candidates"] == 30
    assert (only.needs, only.needs_class, only.seeded) == (("clip.image",), (), False)


def test_with_all_off_it_is_the_random_selector() -> None:
    pool, off = pool_of(np.ones((50, 2))), sas(relevance=False, separation=False, diversity=False)
    for seed in range(3):
        drawn = cast("Selector", ddbench.create("selector", "random")).select(pool, 5, Context(seed=seed))
        assert off.select(pool, 5, Context(seed=seed)) == drawn
    assert (off.needs, off.needs_class, off.seeded) == ((), (), True)


def test_a_drawn_order_is_seeded_and_an_order() -> None:
    rng = np.random.default_rng(7)
    images, texts = rng.normal(size=(10, 6)), rng.normal(size=(2, 6))
    pool, candidates = pool_of(images, texts), ranked(margin(images, texts, 0))[:5]
    possible = {tuple(sorted(stage_2(images, order, 2)[0])) for order in itertools.permutations(candidates)}
    seen = set()
    for seed in range(40):
        indices = chosen(pool, 2, seed, order="random").indices
        assert indices == chosen(pool, 2, seed, order="random").indices
        assert indices == [i for i in candidates if i in indices]
        seen.add(tuple(sorted(indices)))
    assert len(possible) > 1
    assert seen == possible
    assert sas(order="random").seeded
    assert not sas().seeded
    assert not sas(order="random", diversity=False).seeded


@pytest.mark.parametrize(
    ("size", "ipc", "p", "candidates"),
    [
        (30, 1, 0.1, 3),
        (31, 1, 0.1, 4),
        (5, 2, 0.5, 3),
        (40, 10, 0.5, 20),
        (40, 30, 0.5, 30),
        (7, 7, 0.5, 7),
        (9, 1, 1, 9),
    ],
)
def test_size_of_the_candidate_set(size: int, ipc: int, p: float, candidates: int) -> None:
    rng = np.random.default_rng(8)
    choice = chosen(pool_of(rng.normal(size=(size, 4)), rng.normal(size=(3, 4))), ipc, p=p)
    assert choice.info["candidates"] == candidates


@pytest.mark.parametrize("classes", [2, 100])
def test_each_class_has_its_own_pool_and_all_prototypes(classes: int) -> None:
    rng = np.random.default_rng(classes)
    labels = rng.permutation(np.repeat(np.arange(classes), rng.integers(4, 9, size=classes)))
    images, texts = rng.normal(size=(len(labels), 8)), rng.normal(size=(classes, 8))
    selection = sas().select(pool_of(images, texts, labels.tolist()), 2, Context())
    for c in range(classes):
        own = np.flatnonzero(labels == c)
        scores = margin(images[own], texts, c)
        candidates = ranked(scores)[: math.ceil(len(own) / 2)]
        members, _ = stage_2(images[own], candidates, 2)
        assert list(selection.per_class[c]) == [int(own[i]) for i in candidates if i in members]


@pytest.mark.parametrize(
    "params",
    [
        {"order": "random"},
        {"order": "pool", "keep": "last-added"},
        {"relevance": False, "separation": False},
        {"relevance": False, "separation": False, "diversity": False},
        {"separation": False, "diversity": False},
    ],
)
def test_every_switch_keeps_the_contract(params: dict[str, Any], tmp_path: Path) -> None:
    check_component(SAS, tmp_path, **params)


def test_what_it_needs() -> None:
    assert sas().needs == ("clip.image",)
    assert sas().needs_class == ("clip.text",)
    assert sas(teacher="siglip").needs == ("siglip.image",)
    assert sas(teacher="siglip").needs_class == ("siglip.text",)
    assert sas(teacher="judge", prototypes="mean").needs == ("judge.embedding",)
    assert sas(teacher="judge", prototypes="mean").needs_class == ("judge.mean",)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_unusable_embeddings_are_named(bad: float) -> None:
    images, texts, labels = np.ones((6, 2)), np.ones((2, 2)), [0, 0, 0, 1, 1, 1]
    images[4, 1] = bad
    with pytest.raises(ComponentError, match=r"field 'clip\.image' has NaN or infinite values for class 'class 1'"):
        sas().select(pool_of(images, texts, labels), 2, Context())
    texts[1, 0] = bad
    with pytest.raises(
        ComponentError, match=r"class field 'clip\.text' has NaN or infinite values for class 'class 1'"
    ):
        sas().select(pool_of(np.ones((6, 2)), texts, labels), 2, Context())


def test_mistakes_are_named() -> None:
    images = np.ones((6, 2))
    with pytest.raises(ComponentError, match=r"the pool has no class field 'clip\.text'"):
        sas().select(pool_of(images), 2, Context())
    with pytest.raises(ComponentError, match=r"the pool has no field 'siglip\.image'"):
        sas(teacher="siglip").select(pool_of(images, images[:1]), 2, Context())
    with pytest.raises(ComponentError, match=r"'clip\.text' is 1 x 3, not 1 x 2: one prototype per class, as wide as"):
        sas().select(pool_of(images, np.ones((1, 3))), 2, Context())
    with pytest.raises(ComponentError, match="choose 7 of only 6 candidates of class 'class 0'"):
        sas().select(pool_of(images, images[:1]), 7, Context())
    for p in (0, -0.5, 1.5):
        with pytest.raises(ComponentError, match="parameter 'p'"):
            sas(p=p)
