"""Find seeds that change nothing: several sets of a table that are one."""

from __future__ import annotations

from collections import defaultdict

from ddbench.api import canonical_json
from ddbench.plan.state import State

_MAKERS = {"generate": "generator", "select": "selector", "refine": "refiner"}


def seeds_without_effect(state: State) -> list[str]:
    """Return a line for each component whose outputs are equal for all of its seeds."""
    groups: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
    for key, node in state.graph.nodes.items():
        if node.stage in _MAKERS and "seed" in node.settings and key in state.digests:
            settings = {name: value for name, value in node.settings.items() if name != "seed"}
            uses = {part: ref.keyed for part, ref in node.uses.items()}
            work = canonical_json([settings, uses, node.inputs.to_json()])
            maker = node.uses[_MAKERS[node.stage]].component
            groups[maker.label(), work][node.settings["seed"]] = state.digests[key]
    effective: dict[str, bool] = defaultdict(bool)
    counts: dict[str, int] = {}
    for (name, _), digests in groups.items():
        if len(digests) > 1:
            effective[name] |= len(set(digests.values())) > 1
            counts[name] = len(digests)
    return [
        f"{name} made the same output with each of {count} seeds: the table counts one set {count} times"
        for name, count in counts.items()
        if not effective[name]
    ]
