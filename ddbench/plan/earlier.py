"""Results of key format 1, which ddbench 0.1 made, beside a plan of today.

The keys of format 1 are computed anew for the nodes of today. So an old result answers an evaluation only if 0.1 would
have found it for the same work. No old result is found for a component whose parameters have changed since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from ddbench.api import sha256_json
from ddbench.errors import StoreError
from ddbench.plan.graph import Graph
from ddbench.plan.node import Node
from ddbench.record import RunRecord
from ddbench.store import Store

_FORMAT = 1
# The names of inputs that had another in format 1.
_NAMES = {"shard": "samples"}


def earlier_results(graph: Graph, wanted: Iterable[str], store: Store) -> dict[str, list[RunRecord]]:
    """Return the records of format 1 that answer the ``wanted`` evaluations, by recipe key."""
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
        digests: of the nodes that were looked up before; None for those that were never made.
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
    """Return what the action key of format 1 is the hash of."""
    uses = {part: ref.keyed for part, ref in node.uses.items()}
    return {"format": _FORMAT, "stage": node.stage, "uses": uses, "settings": _settings(node), "inputs": inputs}


def _settings(node: Node) -> dict[str, Any]:
    """Return the settings of a node as format 1 has them."""
    settings = {"temperature" if name == "tau" else name: value for name, value in node.settings.items()}
    if node.stage == "select":
        return {"pool": None, **settings}
    settings.pop("ipc", None)
    if "evaluation" in settings:
        evaluation = {"numerics": "fast", "evaluate": "last", **settings.pop("evaluation")}
        settings |= {"cadence" if name == "evaluate" else name: value for name, value in evaluation.items()}
    return settings
