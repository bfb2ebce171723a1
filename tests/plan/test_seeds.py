"""Seeds that give equal outputs are told."""

from __future__ import annotations

from pathlib import Path

from ddbench.plan.seeds import seeds_without_effect
from tests.plan.plans import edited, plan, set_
from tests.plan.pretend import pretend


def test_seeds_with_one_output_are_told_once(tmp_path: Path) -> None:
    graph = plan(tmp_path, edited(set_("seeds", "selection")([0, 1, 2])))
    state = pretend(graph, tmp_path / "store")
    assert seeds_without_effect(state) == []
    selections = [key for key, node in graph.nodes.items() if node.stage == "select" and "seed" in node.settings]
    state.digests |= dict.fromkeys(selections, "one")
    assert seeds_without_effect(state) == [
        "selector 'random' made the same output with each of 3 seeds: the table counts one set 3 times"
    ]
    state.digests[selections[0]] = "another"
    assert seeds_without_effect(state) == []
