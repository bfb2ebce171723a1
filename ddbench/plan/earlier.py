"""Match results of key format 1, made by ddbench 0.1, with the cells of a plan.

The keys of format 1 are computed for the nodes of the plan. So an old result matches an evaluation only if ddbench 0.1
had found it for the same work. A component of another version, or with changed parameters, has other keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from ddbench.api import sha256_json
from ddbench.errors import StoreError
from ddbench.plan.dag import Graph
from ddbench.plan.node import Node
from ddbench.record import RunRecord
from ddbench.store import Store

_FORMAT = 1
# Inputs that had another name in format 1.
_NAMES = {"shard": "samples"}


def earlier_results(graph: Graph, wanted: Iterable[str], store: Store) -> dict[str, list[RunRecord]]:
    """Return the records of format 1 that match the ``wanted`` evaluations, by recipe key."""
    digests: dict[str, str | None] = {}
    found: dict[str, list[RunRecord]] = {}
    for recipe_key in wanted:
        with suppress(StoreError):
            action_key = _action_key(graph, recipe_key, store, digests)
            records = [] if action_key is None else store.results(action_key)
            if records:
                found[recipe_key] = records
    return found


def _action_key(graph: Graph, recipe_key: str, store: Store, digests: dict[str, str | None]) -> str | None:
    """Return the action key of format 1 of a node; None if an input of it was never made.

    Args:
        graph: the plan.
        recipe_key: the key of the node.
        store: the store.
        digests: digests of the nodes that were looked up before; None for nodes that were never made.
    """
    node = graph.nodes[recipe_key]
    for parent in node.inputs.values():
        if parent not in digests:
            digests[parent] = None
            with suppress(StoreError):
                action_key = _action_key(graph, parent, store, digests)
                manifest = None if action_key is None else store.manifest(action_key)
                digests[parent] = None if manifest is None else manifest.digest
    inputs = {_NAMES.get(name, name): digests[parent] for name, parent in node.inputs.named()}
    return None if None in inputs.values() else sha256_json(_key(node, inputs))


def _key(node: Node, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON whose hash is the action key of format 1, which has no code of components."""
    uses = {part: {**ref.keyed, "params": ref.component.params.keyed_in_format_1()} for part, ref in node.uses.items()}
    for use in uses.values():
        use.pop("code", None)
    return {"format": _FORMAT, "stage": node.stage, "uses": uses, "settings": _settings(node), "inputs": inputs}


def _settings(node: Node) -> dict[str, Any]:
    """Return the settings of a node as format 1 holds them."""
    settings = {"temperature" if name == "tau" else name: value for name, value in node.settings.items()}
    if node.stage == "select":
        return {"pool": None, **settings}
    settings.pop("ipc", None)
    if "evaluation" in settings:
        evaluation = {"numerics": "fast", "evaluate": "last", **settings.pop("evaluation")}
        settings |= {"cadence" if name == "evaluate" else name: value for name, value in evaluation.items()}
    return settings
