"""Find components whose code, but not whose version, has changed since their outputs were stored."""

from __future__ import annotations

from ddbench.plan.state import State


def drifted(state: State) -> list[str]:
    """Return one warning for each such component of a plan."""
    found: dict[str, None] = {}
    for key, node in state.graph.nodes.items():
        hashes = _stored_hashes(state, key)
        for ref in node.uses.values():
            stored = hashes.get((ref.component.info.kind, ref.component.info.name))
            if stored is not None and stored != ref.code_hash:
                info = ref.component.info
                found[
                    f"the code of {ref.component.label()} has changed since its version {info.version} made stored "
                    "outputs; raise the version if its output has changed"
                ] = None
    return list(found)


def _stored_hashes(state: State, key: str) -> dict[tuple[str, str], str | None]:
    """Return the code hashes that are stored with a node's output, by kind and name."""
    manifest = state.manifests.get(key)
    lineage = [origin for record in state.results.get(key, []) for origin in record.lineage]
    stored = lineage if manifest is None else manifest.provenance.values()
    return {(origin.kind, origin.name): origin.code_hash for origin in stored}
