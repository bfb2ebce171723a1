"""Components whose code has changed since stored outputs were made by them, while their version has not."""

from __future__ import annotations

from ddbench.plan.state import State


def drifted(state: State) -> list[str]:
    """One line for each such component of a plan."""
    found: dict[str, None] = {}
    for key, node in state.graph.nodes.items():
        hashes = _stored_hashes(state, key)
        for ref in node.uses.values():
            known = hashes.get((ref.component.info.kind, ref.component.info.name))
            if known is not None and known != ref.code_hash:
                info = ref.component.info
                found[
                    f"the code of {ref.component.label()} has changed since stored outputs were made by its version "
                    f"{info.version}; raise the version if its output has changed"
                ] = None
    return list(found)


def _stored_hashes(state: State, key: str) -> dict[tuple[str, str], str | None]:
    """Return the code hashes that are stored with a node's output, by kind and name."""
    manifest = state.manifests.get(key)
    lineage = [known for record in state.results.get(key, []) for known in record.lineage]
    stored = lineage if manifest is None else manifest.provenance.values()
    return {(known.kind, known.name): known.code_hash for known in stored}
