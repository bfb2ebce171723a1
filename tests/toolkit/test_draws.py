"""Draws that no seed of a suite controls are found."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch

from ddbench import ComponentError, Context, Selector, component
from ddbench.toolkit.draws import drawing


@component("selector", "plain", version=1)
class Plain(Selector):
    """Says nothing of seeds."""


@component("selector", "seeded", version=1)
class Seeded(Selector):
    """Says that it uses the seed."""

    seeded = True  # type: ignore[assignment]


USES: list[Callable[[Context], object]] = [
    lambda ctx: ctx.seed,
    lambda ctx: ctx.rng("a"),
    lambda ctx: ctx.torch_rng("a"),
]


@pytest.mark.parametrize("use", USES)
def test_only_a_component_that_declares_it_gets_a_seed(use: Callable[[Context], object]) -> None:
    with drawing(Seeded(), Context(seed=3)) as ctx:
        use(ctx)
    line = "selector 'plain' uses the seed, but does not declare it; declare `seeded = True` in its class"
    with pytest.raises(ComponentError, match=line), drawing(Plain(), Context(seed=3)) as ctx:
        use(ctx)


def test_the_rest_of_the_context_is_the_same_and_an_own_seed_is_free() -> None:
    given = Context(seed=3, device="cuda:1", threads=2)
    with drawing(Plain(), given) as ctx:
        assert (ctx.device, ctx.threads, ctx.log) == ("cuda:1", 2, given.log)
        own = ctx.with_seed(5)
        assert own == given.with_seed(5)
        assert own.rng("a").integers(99) == given.with_seed(5).rng("a").integers(99)


GLOBAL: dict[str, Callable[[], object]] = {
    "random": random.random,
    "numpy": np.random.rand,
    "torch": lambda: torch.rand(1),
}


@pytest.mark.parametrize("name", GLOBAL)
def test_a_draw_from_a_global_generator_is_named(name: str) -> None:
    with drawing(Seeded(), Context()):
        GLOBAL[name]()
    line = f"draws from the global generator of {name}; draw from `ctx.rng`"
    for cls, strict in ((Plain, False), (Seeded, True)):
        with pytest.raises(ComponentError, match=line), drawing(cls(), Context(), strict=strict):
            GLOBAL[name]()


def test_a_restored_generator_is_as_it_was() -> None:
    with drawing(Plain(), Context()), torch.random.fork_rng(devices=[]):
        torch.rand(1)
