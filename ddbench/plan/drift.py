"""Components whose code has changed since stored outputs were made by them, while their version has not."""

from __future__ import annotations

from ddbench.plan.state import State


def drifted(state: State) -> list[str]:
    """One line for each such component of a plan."""
    found: dict[str, None] = {}
    for key, node in state.graph.nodes.items():
        sources = state.manifests[key].sources if key in state.manifests else _result_sources(state, key)
        for role, ref in node.uses.items():
            if role in sources and sources[role] != ref.source:
                info = ref.component.info
                found[
                    f"the code of {ref.component.label()} has changed since stored outputs were made by its version "
                    f"{info.version}; raise the version if its output has changed"
                ] = None
    return list(found)


def _result_sources(state: State, key: str) -> dict[str, str]:
    sources: dict[str, str] = {}
    for record in state.results.get(key, []):
        sources |= record["sources"]
    return sources
