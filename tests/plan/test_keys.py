"""Recipe keys are changed by exactly what should change them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import ddbench
from ddbench import Selector, component, unkeyed
from ddbench.plan import ComponentRef, Graph, Inputs, Node, Shard
from ddbench.registry import catalogue
from ddbench.registry.code_hash import code_hash
from tests.plan.plans import SUITE, Values, changed_stages, edited, keys, plan, set_

ROWS = list(SUITE["methods"])
REAL = [row for row in ROWS if row.startswith("real")]
LOUD = [row for row in ROWS if row.startswith("loud")]
EVALUATION = {"evaluate"}
AFTER_SELECTION = {"select", "distill", "evaluate"}
SCORED = {"fit", "check", "score", *AFTER_SELECTION}
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


def test_the_key_of_a_node_is_what_it_has_always_been(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ddbench.plan.node.keyed_code", lambda cls: None)
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


def test_code_that_can_be_edited_is_in_the_key() -> None:
    assert ComponentRef(Golden()).keyed["code"] == code_hash(Golden)


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
            *({"fit", "check", "score"} if row.endswith("center") else ()),
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
