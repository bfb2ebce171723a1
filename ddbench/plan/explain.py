"""Explain why a node would run, by its differences from the most similar artifact in the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ddbench.plan.node import Node
from ddbench.plan.stages import STAGES
from ddbench.plan.state import State
from ddbench.record import Measurement
from ddbench.store import Manifest

_SHOWN = 4
_CODE = "the code of its "


def reason(state: State, key: str, manifests: Iterable[Manifest], measured: Iterable[Measurement]) -> str:
    """Return one line with the key of a node's stored output, or with the reason for running the node.

    Args:
        state: the state of the plan.
        key: the recipe key of the node.
        manifests: the artifacts of the store.
        measured: the results of the store.
    """
    node = state.graph.nodes[key]
    if key in state.corrupt:
        return f"runs: {state.corrupt[key]}"
    if key in state.digests:
        where = state.action_keys[key][:12]
        if STAGES[node.stage].makes_result or state.has_payload(key):
            return " · ".join([f"stored as {where}", *_notes(state, key)])
        return f"known as {where}; gc removed its files, which are made again if a node needs them"
    runs = _reason_to_run(state, key, node, manifests, measured)
    return " · ".join([runs, *_failed_checks(state, node), *_kept(state, key)])


def _reason_to_run(
    state: State, key: str, node: Node, manifests: Iterable[Manifest], measured: Iterable[Measurement]
) -> str:
    failure = state.failure(key)
    if failure:
        return f"runs: it failed before: {failure.message}"
    missing = [name for name, parent in node.inputs.named() if parent not in state.digests]
    if missing:
        return f"runs, unless its inputs turn out the same as before; not made yet: {_joined(missing)}"
    if STAGES[node.stage].makes_result:
        return f"runs: {_nearest_result(state, node, measured)}"
    return f"runs: {_nearest(node, manifests)}"


def _failed_checks(state: State, node: Node) -> Iterator[str]:
    """Yield the failures of the checks that must succeed first."""
    for label, check in sorted((state.graph.nodes[check].label, check) for check in node.checks):
        failure = state.failure(check)
        if failure:
            yield f"the check of {label} failed before: {failure.message}"


def _kept(state: State, key: str) -> Iterator[str]:
    """Yield a remark if parts of the unfinished work are kept."""
    if key in state.action_keys and state.store.unfinished(state.action_keys[key]):
        yield "part of its work is kept"


def _notes(state: State, key: str) -> list[str]:
    """Return the remarks that are stored with a node's output, such as a teacher's accuracy."""
    notes = state.manifests[key].info.get("notes") if key in state.manifests else None
    return [str(note) for note in notes] if isinstance(notes, list) else []


def _nearest(node: Node, manifests: Iterable[Manifest]) -> str:
    """Describe how the node differs from the most similar stored artifact of its stage."""
    candidates = [(list(_differences(m.recipe, node.recipe)), m) for m in manifests if m.stage == node.stage]
    if not candidates:
        return f"the store has no output of {node.stage}"
    differences, manifest = min(candidates, key=lambda pair: len(pair[0]))
    if not differences:
        return "the contents of its inputs have changed"
    if all(difference.startswith(_CODE) for difference in differences):
        edited = _joined([difference.removeprefix(_CODE) for difference in differences])
        return f"code changed: its {edited} was edited after the stored {manifest.action_key[:12]} was made"
    return f"it differs from the stored {manifest.action_key[:12]} in {_joined(differences)}"


def _nearest_result(state: State, node: Node, measured: Iterable[Measurement]) -> str:
    """Name the code that was edited since stored results of the same set and protocol. Results have no recipe."""
    wanted = state.digests.get(node.inputs.distilled or ""), node.settings["protocol"]["sha256"]
    for one in measured:
        if (one.distilled, one.protocol and one.protocol.sha256) != wanted:
            continue
        origins = {(origin.kind, origin.name): origin.code_hash for origin in one.lineage}
        edited = [
            part
            for part, ref in sorted(node.uses.items())
            if "code" in ref.keyed
            and origins.get((ref.component.info.kind, ref.component.info.name)) not in (None, ref.code_hash)
        ]
        if edited:
            return f"code changed: its {_joined(edited)} was edited after the stored {one.action_key[:12]} was made"
    return "no stored result has its recipe"


def _joined(parts: list[str]) -> str:
    more = len(parts) - _SHOWN
    return ", ".join(parts[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Yield the paths at which two recipes differ, with both values."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted({*old, *new}):
            yield from _differences(old.get(name), new.get(name), f"{path}.{name}" if path else name)
    elif path.startswith("uses.") and path.endswith(".code"):
        if old != new:
            yield _CODE + path.split(".")[1]
    elif old != new:
        yield path if path.startswith("inputs.") else f"{path} ({old!r} → {new!r})"
