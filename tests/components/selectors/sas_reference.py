"""SAS written out from its equations in float64, one candidate at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

import ddbench
from ddbench import Chosen, Context, Pool, Selector

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


def random_images(rng: np.random.Generator, n: int, d: int) -> Array:
    """Of any length, about the origin or not, some of them zero, some copies or multiples of others."""
    images = (rng.normal(size=(n, d)) + rng.choice([0.0, 1.0])) * rng.choice([1e-3, 1, 1e3], size=(n, 1))
    images[rng.random(n) < 0.05] = 0
    images = images.astype(np.float32)
    copies = np.flatnonzero(rng.random(n) < rng.choice([0, 0.3]))
    images[copies] = images[rng.integers(n, size=len(copies))] * rng.choice([1, 2], size=(len(copies), 1))
    return images
