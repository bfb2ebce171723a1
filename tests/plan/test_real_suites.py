"""The comparisons on real data sets: planned without data and weights, and no image generated twice."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import pytest

from ddbench.plan import Graph, State, build_graph
from ddbench.plan.estimate.estimate import estimate
from ddbench.store import Store
from ddbench.suite import ResolvedSuite, load_suite
from tests.conftest import ROOT, Cli

BLOCK = 10
SUITES = ("woof", "nette", "idc", "cifar10", "cifar100", "tiny-imagenet")


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("DDBENCH_HOME", str(tmp_path / "store"))


def plan_suite(name: str) -> tuple[ResolvedSuite, Graph]:
    suite = load_suite(ROOT / "suites" / f"{name}.yaml")
    return suite, build_graph(suite)


@pytest.mark.parametrize("name", SUITES)
def test_no_image_is_generated_twice(name: str) -> None:
    """Of each generator there is one node for each class span and block, as many as its largest pool needs."""
    suite, graph = plan_suite(name)
    blocks: dict[str, list[str]] = defaultdict(list)
    for node in graph.nodes.values():
        if node.stage == "generate":
            uses = json.dumps(node.uses["generator"].keyed, sort_keys=True)
            blocks[uses].append(json.dumps(dict(node.settings), sort_keys=True))
    assert all(len(set(found)) == len(found) for found in blocks.values())
    largest: dict[str, int] = {}
    for cell in suite.cells:
        generator, count = cell.row.generator.component.for_ipc(cell.ipc), cell.row.pool.count(cell.ipc)
        uses = json.dumps({"name": generator.info.name, "version": generator.info.version}) + json.dumps(
            generator.params.keyed(), sort_keys=True
        )
        largest[uses] = max(largest.get(uses, 0), count or 0)
    spans = -(-len(suite.dataset.component.classes) // 10)
    expected = sorted(spans * max(1, -(-count // BLOCK)) for count in largest.values())
    assert sorted(map(len, blocks.values())) == expected


def test_the_images_of_woof_by_hand() -> None:
    """DiT, Minimax and three IMs need 500 images a class, five for each of a hundred; the others one for each."""
    _, graph = plan_suite("woof")
    made = [
        n for n in graph.nodes.values() if n.stage == "generate" and n.uses["generator"].component.info.name != "real"
    ]
    # Ten classes to a node; at IPC 1 a block of ten is made of which one is kept.
    assert len(made) * BLOCK * 10 == 10 * (5 * 500 + 100 + 10 + 10 + 20 + 50 + 100)


@pytest.mark.parametrize("name", [name for name in SUITES if name != "idc"])
def test_fits_and_trainings_have_a_price_with_nothing_here(name: str, tmp_path: Path) -> None:
    """The images per class of ImageIDC are known only once the data set exists."""
    _, graph = plan_suite(name)
    found = estimate(State(graph, Store(tmp_path / "store")).resolve_all())
    unknown = {stage.stage: stage.flops.unknown for stage in found.stages}
    assert (unknown["fit"], unknown["evaluate"]) == (0, 0)


@pytest.mark.parametrize("name", SUITES)
def test_the_verb_plans_them_with_nothing_here(name: str, cli: Cli) -> None:
    ended = cli("plan", str(ROOT / "suites" / f"{name}.yaml"), "--json")
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["sharing"]["factor"] > 20
    assert any(
        line.startswith(f"{load_suite(ROOT / 'suites' / f'{name}.yaml').dataset.label}: ") for line in told["missing"]
    )
    assert any("ViT-B-32" in line and "ddbench fetch" in line for line in told["missing"])
