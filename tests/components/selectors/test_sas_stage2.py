"""The second stage of SAS, which screens in float32 and by blocks, against its reading in float64."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import pytest
import torch
from ddbench_components.selectors import _sas_stage2 as _exchange
from ddbench_components.selectors._sas_stage2 import exchange
from hypothesis import given, settings
from hypothesis import strategies as st
from sas_reference import KEEPS, Array, angular, chosen, margin, pool_of, stage_2


def offered(images: Array, order: Sequence[int], ipc: int, keep: str = "earliest") -> tuple[list[int], int]:
    """Return the same by the selector's stage 2."""
    precedence = {"earliest": order, "first-added": range(len(order)), "last-added": range(0, -len(order), -1)}[keep]
    features = torch.from_numpy(images.astype(np.float32))
    kept, exchanges = exchange(features, torch.tensor(order), torch.tensor(list(precedence)), ipc)
    return kept.tolist(), exchanges


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
