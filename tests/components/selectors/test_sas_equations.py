"""SAS against its equations in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from ddbench_components.selectors._angular import angles, unit
from sas_reference import KEEPS, chosen, margin, pool_of, random_images, ranked, sas, stage_2

from ddbench import Context


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


def test_the_place_in_the_pool_has_no_influence() -> None:
    """Permuted pools give permuted choices, copies or not."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        images, texts, place = random_images(rng, 40, 9), rng.normal(size=(4, 9)), rng.permutation(40)
        scores = margin(images, texts, 0)
        if len(set(np.round(scores, 7))) == 40:
            expected = chosen(pool_of(images, texts), 7, keep="first-added").indices
            assert place[chosen(pool_of(images[place], texts), 7, keep="first-added").indices].tolist() == expected


def test_angles_are_accurate() -> None:
    """Written through the sine where the cosine says little: away from the clamp all digits of float32 input count."""
    theta = np.concatenate([[0.002], np.linspace(0.01, math.pi - 0.01, 5001), [math.pi - 0.002]])
    basis = np.linalg.qr(np.random.default_rng(3).normal(size=(512, 2)))[0].T
    rows = np.stack([np.cos(theta), np.sin(theta)], axis=1) @ basis * 37
    assert angles(unit(torch.from_numpy(rows)) @ torch.from_numpy(basis[0])).numpy() == pytest.approx(theta, abs=1e-9)
    clamped = torch.tensor([1, 1 - 1e-7, -1], dtype=torch.float64)
    limit = math.acos(1 - 1e-6)
    assert angles(clamped).tolist() == pytest.approx([limit, limit, math.pi - limit], abs=1e-9)


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
