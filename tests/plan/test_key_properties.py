"""Properties that the recipe keys of any suite have."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plan.plans import SUITE, Values, by_stage, identity, keys, plan

SELECTORS = ["first", "random", {"use": "random", "order": "path"}, "k-center", {"use": "k-center", "start": "random"}]
SEEDED = ["random", {"use": "k-center", "start": "random"}]


@st.composite
def suites(draw: st.DrawFn) -> Values:
    """Return a suite with a few items of everything."""

    def some(of: st.SearchStrategy[Any], most: int = 2) -> list[Any]:
        return draw(st.lists(of, min_size=1, max_size=most, unique=True))

    blocks = some(st.integers(1, 3))
    methods = {}
    for i in range(draw(st.integers(1, 4))):
        generator = draw(st.sampled_from(["real", *(f"loud {block}" for block in blocks)]))
        method = {"generator": generator, "selector": draw(st.sampled_from(SELECTORS))}
        pool = draw(st.sampled_from([None, 3, 4, 6, "2x", "1.5x"]))
        if pool is not None:
            method["pool"] = pool
        if generator != "real" and draw(st.booleans()):
            method["refiner"] = {"use": "darken", "factor": draw(st.sampled_from([0.25, 0.5]))}
        methods[f"row {i}"] = method
    return {
        **SUITE,
        "ipc": some(st.integers(1, 3)),
        "students": [{"use": "pixels", "name": name} for name in some(st.sampled_from("abc"))],
        "seeds": {axis: some(st.integers(0, 3)) for axis in ("generation", "selection", "training")},
        "generators": {f"loud {block}": {"use": "noise", "block": block} for block in blocks},
        "methods": methods,
    }


def shuffled(value: Any, shuffle: Callable[[list[Any]], None]) -> Any:
    """Return the same suite with every list and mapping in another order."""
    if isinstance(value, dict):
        names = list(value)
        shuffle(names)
        return {name: shuffled(value[name], shuffle) for name in names}
    if isinstance(value, list):
        items = [shuffled(item, shuffle) for item in value]
        shuffle(items)
        return items
    return value


def meaning(values: Values, cell_identity: tuple[Any, ...]) -> tuple[Any, ...]:
    """Everything that decides a training, worked out from the suite's text alone: the reference for keys."""
    name, ipc, student, generation, selection, training = cell_identity
    method = values["methods"][name]
    real, selector = method["generator"] == "real", method["selector"]
    default = None if real else "1x" if selector == "first" else "4x"
    pool = method.get("pool", default)
    size = {"1x": ipc, "1.5x": (3 * ipc + 1) // 2, "2x": 2 * ipc, "4x": 4 * ipc}.get(pool, pool)
    return (
        method["generator"],
        None if real else generation,
        size,
        ipc,
        str(selector),
        selection if selector in SEEDED else None,
        str(method.get("refiner")),
        student,
        training,
    )


def sensible(values: Values) -> Values:
    """Return the suite without rows whose pool is too small for an IPC, which other tests cover."""
    least = max(values["ipc"])
    rows = {n: m for n, m in values["methods"].items() if not isinstance(m.get("pool"), int) or m["pool"] >= least}
    return {**values, "methods": rows or {"row": {"generator": "real", "selector": "first"}}}


SUITES = suites().map(sensible)
few = settings(max_examples=40)


@few
@given(SUITES, st.randoms(use_true_random=False))
def test_no_order_matters(tmp_path_factory: pytest.TempPathFactory, values: Values, rng: random.Random) -> None:
    folder = tmp_path_factory.mktemp("keys")
    before, after = plan(folder, values), plan(folder, shuffled(values, rng.shuffle))
    assert keys(before) == keys(after)
    assert before.nodes.keys() == after.nodes.keys()


@few
@given(SUITES)
def test_equal_work_has_one_key_and_other_work_another(
    tmp_path_factory: pytest.TempPathFactory, values: Values
) -> None:
    graph = plan(tmp_path_factory.mktemp("keys"), values)
    found = [(meaning(values, identity(cell)), key) for cell, key in graph.cells]
    assert len(set(found)) == len({work for work, _ in found}) == len({key for _, key in found})


@few
@given(SUITES, st.randoms(use_true_random=False))
def test_what_else_is_in_the_suite_does_not_matter(
    tmp_path_factory: pytest.TempPathFactory, values: Values, rng: random.Random
) -> None:
    folder = tmp_path_factory.mktemp("keys")
    fewer = {**values, "ipc": values["ipc"][:1], "students": values["students"][:1]}
    fewer["seeds"] = {axis: [rng.choice(seeds)] for axis, seeds in values["seeds"].items()}
    fewer["methods"] = dict(rng.sample(sorted(values["methods"].items()), 1))
    whole, part = plan(folder, values), plan(folder, fewer)
    assert keys(part).items() <= keys(whole).items()
    assert part.nodes.keys() <= whole.nodes.keys()


@few
@given(block=st.integers(1, 4), small=st.integers(1, 9), more=st.integers(0, 9))
def test_a_smaller_pool_is_a_part_of_a_larger_one(
    tmp_path_factory: pytest.TempPathFactory, block: int, small: int, more: int
) -> None:
    methods = {
        name: {"generator": "loud", "selector": "k-center", "pool": pool}
        for name, pool in (("small", small), ("large", small + more))
    }
    values = {**SUITE, "ipc": [1], "generators": {"loud": {"use": "noise", "block": block}}, "methods": methods}
    graph = plan(tmp_path_factory.mktemp("keys"), values)
    stages = {cell.row.name: by_stage(graph, key) for cell, key in graph.cells}
    for stage in ("generate", "score"):
        assert stages["small"][stage] <= stages["large"][stage]
        assert len(stages["small"][stage]) == -(-small // block)
        assert len(stages["large"][stage]) == -(-(small + more) // block)
