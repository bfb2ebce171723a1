"""What has to be on this machine before a plan can be run."""

from __future__ import annotations

from ddbench.plan.state import State


def missing_here(state: State) -> tuple[str, ...]:
    """What is missing for the nodes that are to run: one line, with its remedy, for each such thing."""
    to_run = state.to_run()
    components = {
        id(ref.component): ref.component
        for key, node in state.graph.nodes.items()
        if key in to_run
        for ref in node.uses.values()
    }
    said = (component.missing() for component in components.values())
    return tuple(dict.fromkeys(line for line in said if line is not None))
