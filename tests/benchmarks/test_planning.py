"""CPU seconds that it takes to plan ten thousand cells, and to find ten thousand cells done."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from ddbench.api import canonical_json
from ddbench.plan import Graph, State, build_graph
from ddbench.suite import load_suite
from tests.plan.pretend import pretend, record

# CPU time: what else the machine does is not the planner's.
pytestmark = pytest.mark.benchmark(timer=time.process_time)

CELLS = 10_000
PLANNING_S = 3.0
CACHED_NODE_S = 1e-3
_KEY, _SEAL = "0" * 64, "1" * 64


def many_cells(folder: Path) -> Path:
    """Return a suite of ten thousand trainings: 50 rows, 5 IPC, 4 students, 2 selection and 5 training seeds."""
    variants = [f"noise-{block}" for block in range(1, 11)]
    selectors = [{"use": "k-center", "start": "random", "pool": pool} for pool in (10, 12, 14, 16, 18)]
    values = {
        "suite": "many",
        "dataset": "dots",
        "protocol": "minimax-hard@1",
        "evaluator": "nearest-mean",
        "ipc": [1, 2, 3, 4, 5],
        "students": [{"use": "pixels", "name": name} for name in "abcd"],
        "seeds": {"selection": [0, 1], "training": [0, 1, 2, 3, 4]},
        "generators": {name: {"use": "noise", "block": block} for block, name in enumerate(variants, 1)},
        "scorers": {"teacher": "colour"},
        "matrix": {"generator": variants, "selector": selectors},
    }
    path = folder / "many.yaml"
    path.write_text(json.dumps(values))
    return path


def planned(path: Path) -> Graph:
    """Everything that is known before anything runs: suite, cells, nodes, their recipe keys."""
    graph = build_graph(load_suite(path))
    assert all(graph.nodes[key].recipe_key == key for _, key in graph.cells)
    return graph


def test_plan_10000_cells(benchmark: Any, tmp_path: Path) -> None:
    graph = benchmark.pedantic(planned, args=(many_cells(tmp_path),), rounds=3, warmup_rounds=1)
    assert len({key for _, key in graph.cells}) == CELLS
    if benchmark.stats:
        assert benchmark.stats["min"] <= PLANNING_S


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> State:
    """Return a store with results of all ten thousand cells."""
    folder = tmp_path_factory.mktemp("many")
    state = pretend(planned(many_cells(folder)), folder / "store", done=lambda node: node.stage != "evaluate")
    # Results that differ in nothing but their key: made as text, for spelling out each would take longer than the test.
    value = record(_KEY, 50.0)
    canonical, text = canonical_json(value), json.dumps({**value, "checksum": _SEAL}, indent=1, sort_keys=True)
    for _, recipe_key in state.graph.cells:
        key = state.action_keys[recipe_key]
        seal = hashlib.sha256(canonical.replace(_KEY, key).encode()).hexdigest()
        path = state.store.root / "results" / key[:2] / key / "f1.json"
        path.parent.mkdir(parents=True)
        path.write_text(text.replace(_KEY, key).replace(_SEAL, seal))
    return state


def test_read_10000_cached_cells(benchmark: Any, finished: State) -> None:
    def look_up() -> State:
        return State(finished.graph, finished.store).resolve_all()

    state = benchmark.pedantic(look_up, rounds=1)
    assert len(state.results) == CELLS
    assert state.to_run() == set()
    if benchmark.stats:
        assert benchmark.stats["min"] <= CACHED_NODE_S * len(finished.graph.nodes)
