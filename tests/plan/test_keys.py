"""Recipe keys are changed by exactly what should change them."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ddbench
from ddbench import Selector, component, unkeyed
from ddbench.plan import ComponentRef, Graph, Inputs, Node, Shard
from ddbench.registry import catalogue
from tests.plan.plans import SUITE, Values, by_stage, changed_stages, edited, identity, keys, plan, set_

ROWS = list(SUITE["methods"])
REAL = [row for row in ROWS if row.startswith("real")]
LOUD = [row for row in ROWS if row.startswith("loud")]
EVALUATION = {"evaluate"}
AFTER_SELECTION = {"select", "distill", "evaluate"}
SCORED = {"fit", "score", *AFTER_SELECTION}
NOTHING: dict[str, set[str]] = {row: set() for row in ROWS}


# by hand


@component("selector", "golden", version=3)
class Golden(Selector):
    """Fixed for ever, as its key is."""

    class Params(ddbench.Params):
        size: int = 1
        names: tuple[str, ...] = ("é",)
        path: str = unkeyed("/somewhere")

    def fingerprint(self) -> Any:
        return {"sha256": "f00"}


def test_the_key_of_a_node_is_what_it_has_always_been() -> None:
    uses = {"selector": ComponentRef(Golden())}
    scores = {"clip": (Shard(0, 0, "ef"),)}
    inputs = Inputs(dataset="cd", samples=(Shard(0, 0, "ab"), Shard(0, 1, "ac")), scores=scores)
    node = Node("select", uses, {"seed": 0, "ipc": 2}, inputs, "label")
    json = (
        '{"format":2,"inputs":{"dataset":"cd","samples":[{"block":0,"first_class":0,"output":"ab"},'
        '{"block":1,"first_class":0,"output":"ac"}],"scores":{"clip":[{"block":0,"first_class":0,"output":"ef"}]}},'
        '"settings":{"ipc":2,"seed":0},'
        '"stage":"select","uses":{"selector":{"fingerprint":{"sha256":"f00"},"name":"golden",'
        '"params":{"names":["é"],"size":1},"version":3}}}'
    )
    assert node.recipe_key == hashlib.sha256(json.encode()).hexdigest()
    assert node.recipe_key == "30939bf48bcc046a0b516d5d3ada84c3ce3cdeef42aee3c3e5877505a1998467"


def test_a_fingerprint_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Golden] = []
    monkeypatch.setattr(Golden, "fingerprint", lambda self: asked.append(self))
    golden = Golden()
    assert [ComponentRef(golden).keyed["params"] for _ in range(2)] == [{"size": 1, "names": ["é"]}] * 2
    assert asked == [golden]


def test_an_action_key_is_over_contents_whatever_the_recipes() -> None:
    def node(samples: str) -> Node:
        return Node("distill", {}, {"a": 1}, Inputs(shard=samples, dataset="cd"), "label")

    digests = Inputs(shard="11", dataset="22")
    json = '{"format":2,"inputs":{"dataset":"22","shard":"11"},"settings":{"a":1},"stage":"distill","uses":{}}'
    expected = hashlib.sha256(json.encode()).hexdigest()
    one, other = node("ab"), node("ba")
    assert one.recipe_key != other.recipe_key
    assert one.action_key(digests) == other.action_key(digests) == expected
    assert one.action_key(replace(digests, shard="12")) != expected


# what changes a key

EDITS: dict[str, tuple[Callable[[Values], None], dict[str, set[str]]]] = {
    "training seed": (set_("seeds", "training")([1]), dict.fromkeys(ROWS, EVALUATION)),
    "numerics": (set_("numerics")("fast"), dict.fromkeys(ROWS, EVALUATION)),
    "how often is measured": (set_("evaluate")("papers"), dict.fromkeys(ROWS, EVALUATION)),
    "evaluator's parameter": (set_("evaluator", "fail_seed")(7), dict.fromkeys(ROWS, EVALUATION)),
    "student's parameter": (set_("students", 0, "name")("q"), dict.fromkeys(ROWS, EVALUATION)),
    "student": (set_("students", 0)("convnet3"), dict.fromkeys(ROWS, EVALUATION)),
    "protocol": (set_("protocol")("smoke@1"), dict.fromkeys(ROWS, EVALUATION)),
    "selection seed": (set_("seeds", "selection")([1]), dict.fromkeys(["real random", "loud random"], AFTER_SELECTION)),
    "generation seed": (
        set_("seeds", "generation")([1]),
        {
            "loud first": {"generate", *AFTER_SELECTION},
            "loud random": {"generate", *AFTER_SELECTION},
            "loud center": {"generate", "score", *AFTER_SELECTION},
            "loud dark": {"generate", "refine", *AFTER_SELECTION},
        },
    ),
    "generator's parameter": (
        set_("generators", "loud", "leak")(True),
        {
            "loud first": {"generate", *AFTER_SELECTION},
            "loud random": {"generate", *AFTER_SELECTION},
            "loud center": {"generate", "score", *AFTER_SELECTION},
            "loud dark": {"generate", "refine", *AFTER_SELECTION},
        },
    ),
    "scorer's parameter": (
        set_("scorers", "teacher", "seconds")(0.5),
        dict.fromkeys(["real center", "loud center"], SCORED),
    ),
    "selector's parameter": (
        set_("methods", "real center", "selector", "metric")("cosine"),
        {"real center": AFTER_SELECTION},
    ),
    "selector": (
        set_("methods", "real first", "selector")("random"),
        {"real first": AFTER_SELECTION},
    ),
    "refiner's parameter": (
        set_("methods", "loud dark", "refiner", "factor")(0.25),
        {"loud dark": {"refine", "evaluate"}},
    ),
    "IPC": (
        set_("ipc")([1]),
        {row: {*AFTER_SELECTION, *({"refine"} if row == "loud dark" else ())} for row in ROWS},
    ),
    "larger pool in the same block": (set_("methods", "loud random", "pool")(3), {"loud random": AFTER_SELECTION}),
    "larger pool": (
        set_("methods", "loud center", "pool")(5),
        {"loud center": {"generate", "score", *AFTER_SELECTION}},
    ),
    # What enters no key.
    "name of the suite": (set_("suite")("other"), {}),
    "another IPC": (lambda v: v["ipc"].insert(0, 1), {}),
    "a default that is written out": (
        set_("methods", "real random", "selector")({"use": "random", "order": "permutation"}),
        {},
    ),
    "a pool as a multiple": (set_("methods", "loud random", "pool")("2x"), {}),
    "a scorer that nobody asks": (set_("scorers", "judge")("colour"), {}),
    "order of parameters": (set_("generators", "loud")({"leak": False, "block": 2, "use": "noise"}), {}),
    "a number as text": (set_("generators", "loud", "block")("2"), {}),
}


def only_ipc(graph: Graph, ipc: int) -> Graph:
    return Graph(graph.nodes, tuple((cell, key) for cell, key in graph.cells if cell.ipc == ipc))


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_changes_what_it_should_and_nothing_else(tmp_path: Path, name: str) -> None:
    edit, expected = EDITS[name]
    after = plan(tmp_path, edited(edit))
    if name == "another IPC":
        after = only_ipc(after, 2)
    found = changed_stages(plan(tmp_path, SUITE), after)
    assert found == {**NOTHING, **expected}


VERSIONS: dict[tuple[str, str], dict[str, set[str]]] = {
    ("dataset", "dots"): {
        row: {
            "dataset",
            "generate",
            *AFTER_SELECTION,
            *({"fit", "score"} if row.endswith("center") else ()),
            *({"refine"} if row == "loud dark" else ()),
        }
        for row in ROWS
    },
    ("generator", "noise"): EDITS["generator's parameter"][1],
    ("scorer", "colour"): EDITS["scorer's parameter"][1],
    ("selector", "k-center"): dict.fromkeys(["real center", "loud center"], AFTER_SELECTION),
    ("refiner", "darken"): EDITS["refiner's parameter"][1],
    ("student", "pixels"): EDITS["student"][1],
    ("evaluator", "nearest-mean"): EDITS["evaluator's parameter"][1],
}


@pytest.mark.parametrize(("kind", "name"), VERSIONS)
def test_so_does_a_new_version_of_a_component(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str
) -> None:
    before = plan(tmp_path, SUITE)
    cls = catalogue().get(kind, name)
    monkeypatch.setattr(cls, "info", replace(cls.info, version=cls.info.version + 1))
    found = changed_stages(before, plan(tmp_path, SUITE))
    assert found == {**NOTHING, **VERSIONS[kind, name]}


def test_so_does_another_content_of_a_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = plan(tmp_path, SUITE)
    known = catalogue()
    altered = known.protocol("minimax-hard@1").model_copy(update={"batch_size": 63})
    monkeypatch.setattr(known, "protocol", lambda _: altered)
    assert changed_stages(before, plan(tmp_path, SUITE)) == dict.fromkeys(ROWS, EVALUATION)


def test_names_of_methods_and_variants_are_for_people(tmp_path: Path) -> None:
    def rename(values: Values) -> None:
        values["generators"] = {"quiet": values["generators"].pop("loud")}
        for name in ROWS:
            method = values["methods"].pop(name)
            method["generator"] = method["generator"].replace("loud", "quiet")
            values["methods"][f"my {name}"] = method

    before, after = plan(tmp_path, SUITE), plan(tmp_path, edited(rename))
    assert {(f"my {name}", *rest): key for (name, *rest), key in keys(before).items()} == keys(after)
    assert before.nodes.keys() == after.nodes.keys()


# properties of any suite

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
