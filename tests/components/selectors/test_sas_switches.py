"""The switches of SAS: each term and stage alone, the order of candidates, and what each needs."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from ddbench_components.selectors.sas import SAS
from sas_reference import chosen, margin, pool_of, random_images, ranked, sas, stage_2

import ddbench
from ddbench import Context, Selector
from ddbench.testing import check_component


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
