"""Why a node would run: what of it is new, compared with the nearest thing in the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ddbench.plan.node import Node
from ddbench.plan.stages import STAGES
from ddbench.plan.state import State
from ddbench.store import Manifest

_SHOWN = 4


def reason(state: State, key: str, known: Iterable[Manifest]) -> str:
    """One line on a node's state: where it is stored, or why it is not."""
    node = state.graph.nodes[key]
    if key in state.corrupt:
        return f"runs: what was stored {state.corrupt[key]}"
    if key in state.digests:
        where = state.action_keys[key][:12]
        if STAGES[node.stage].makes_result or state.has_payload(key):
            return f"stored as {where}"
        return f"known as {where}; its files were removed by gc and are made again if something needs them"
    failure = state.store.failure(key)
    if failure:
        return f"runs: it failed before: {failure['message']}"
    missing = [name for name, parent in node.inputs.named() if parent not in state.digests]
    if missing:
        return f"runs, unless its inputs come out as before: {_joined(missing)} not made yet"
    return f"runs: {_nearest(node, known)}"


def _nearest(node: Node, known: Iterable[Manifest]) -> str:
    """How the node differs from the most similar stored artifact of its stage."""
    candidates = [(list(_differences(m.recipe, node.recipe)), m) for m in known if m.stage == node.stage]
    if not candidates:
        return "never made" if STAGES[node.stage].makes_result else f"no {node.stage} was ever stored"
    differences, manifest = min(candidates, key=lambda pair: len(pair[0]))
    if not differences:
        return "the inputs' contents have changed"
    return f"differs from stored {manifest.action_key[:12]} in {_joined(differences)}"


def _joined(parts: list[str]) -> str:
    more = len(parts) - _SHOWN
    return ", ".join(parts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Paths at which two recipes differ, with both values."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted({*old, *new}):
            yield from _differences(old.get(name), new.get(name), f"{path}.{name}" if path else name)
    elif old != new:
        yield path if path.startswith("inputs.") else f"{path} ({old!r} → {new!r})"
