"""The shape of a plan."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ddbench import ClassInfo, Dataset, LabeledImages, component
from ddbench.plan import STAGES, Graph
from ddbench.registry import Catalogue
from ddbench.registry.plugins import installed
from tests.plan.plans import SUITE, by_stage, plan


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    return plan(tmp_path_factory.mktemp("graph"), SUITE)


def test_equal_work_is_one_node(graph: Graph) -> None:
    assert Counter(node.stage for node in graph.nodes.values()) == {
        "dataset": 1,
        "fit": 1,  # the teacher
        "check": 1,
        "generate": 3,  # everything real, two blocks of noise
        "score": 3,  # each of them
        "select": 6,  # `loud first` and `loud dark` select alike
        "distill": 6,
        "refine": 1,
        "evaluate": 7,
    }


def test_every_node_stands_after_its_inputs_and_leads_to_a_cell(graph: Graph) -> None:
    seen: set[str] = set()
    for key, node in graph.nodes.items():
        assert node.recipe_key == key
        assert node.parents <= seen
        assert all(STAGES[graph.nodes[p].stage].order < STAGES[node.stage].order for p in node.parents)
        seen.add(key)
    assert seen == {ancestor for _, key in graph.cells for ancestor in (key, *graph.ancestors(key))}


def test_dependents_are_parents_turned_round(graph: Graph) -> None:
    dependents = graph.dependents()
    pairs = {(parent, key) for key, node in graph.nodes.items() for parent in (*node.inputs.values(), *node.checks)}
    assert {(parent, key) for parent, keys in dependents.items() for key in keys} == pairs
    assert sum(map(len, dependents.values())) == len(pairs), "each once, whatever the roles"


def test_a_label_tells_nodes_of_one_stage_apart(graph: Graph) -> None:
    labels = Counter((node.stage, node.label) for node in graph.nodes.values())
    assert labels.most_common(1)[0][1] == 1


def test_a_node_runs_with_the_threads_of_its_hungriest_component(graph: Graph, monkeypatch: pytest.MonkeyPatch) -> None:
    node = next(node for node in graph.nodes.values() if node.stage == "score")
    assert node.threads == 1
    monkeypatch.setattr(type(node.uses["scorer"].component), "threads", 3)
    assert node.threads == 3
    assert {n.threads for n in graph.nodes.values() if n.stage == "distill"} == {1}


@component("dataset", "wide", version=1)
class Wide(Dataset):
    """Twenty-three classes."""

    classes = tuple(ClassInfo(f"c{i}") for i in range(23))
    image_size = 8
    mean = std = (0.5, 0.5, 0.5)
    train_counts = (12,) * 23

    def train(self) -> LabeledImages:
        raise AssertionError("no image is to be read here")

    def validation(self) -> LabeledImages:
        raise AssertionError("no image is to be read here")


def test_many_classes_are_made_in_groups_of_ten(tmp_path: Path) -> None:
    known = Catalogue(installed())
    known.add(Wide, owner="this test")
    values = {**SUITE, "dataset": "wide", "methods": {"A": {"generator": "loud", "selector": "k-center", "pool": 3}}}
    wide = plan(tmp_path, values, known)
    made = [node.settings for node in wide.nodes.values() if node.stage == "generate"]
    groups = ([0, 10], [10, 20], [20, 23])
    assert made == [{"classes": group, "block": block, "seed": 0} for group in groups for block in (0, 1)]
    (select,) = (node for node in wide.nodes.values() if node.stage == "select")
    shards = [f"{first}/{block}" for first in (0, 10, 20) for block in (0, 1)]
    assert [name for name, _ in select.inputs.named()] == [
        "dataset",
        *(f"samples/{shard}" for shard in shards),
        *(f"scores/teacher/{shard}" for shard in shards),
    ]


def test_only_what_is_asked_for_is_scored(graph: Graph) -> None:
    rows = {cell.row.name: by_stage(graph, key) for cell, key in graph.cells}
    assert {name for name, stages in rows.items() if "score" in stages} == {"real center", "loud center"}
