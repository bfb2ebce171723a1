"""A store that claims to hold a plan's outputs: manifests and results without any work behind them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ddbench.api import sha256_json
from ddbench.plan import STAGES, Graph, Node, State
from ddbench.record import Provenance
from ddbench.store import Manifest, Store

# As long as a real one: a hundred evaluations, a dozen stages before it.
_CURVE = [[epoch, 10 + epoch / 100] for epoch in range(20, 2001, 20)]
_STAGES = [{"stage": "generate", "action_key": "a" * 64, "uses": {"generator": ["noise", 1]}, "wall_s": 1.5}] * 12


def record(
    action_key: str,
    last: float,
    *,
    best: float | None = None,
    fingerprint: str = "f1",
    lineage: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Return a RunRecord as a worker writes it."""
    result = {"last": last, "best": last if best is None else best, "evaluations": 100, "curve": _CURVE, "details": {}}
    env = {
        "device": "cpu",
        "device_model": "Abacus 3000",
        "cpu_capability": "BEADS",
        "threads": 1,
        "os": "Wood",
        "gpu": None,
        "numerics": "reference",
        "versions": {"torch": "2.9.0", "ddbench": "0.1.0"},
    }
    return {
        "format": 2,
        "action_key": action_key,
        "fingerprint": fingerprint,
        "result": result,
        "settings": {"seed": 0, "evaluation": {"numerics": "reference", "evaluate": "papers"}},
        "protocol": {"id": "minimax-hard@1", "sha256": "9" * 64},
        **dict.fromkeys(("evaluator", "student", "dataset", "teacher")),
        "validation": {"digest": "d" * 64, "size": 18, "standard_error": 11.8},
        "distilled": {"digest": action_key, "size": 6, "ipc": 2},
        "soft_labels": None,
        "lineage": list(lineage),
        "environment": env,
        "stages": _STAGES,
        "created": None,
    }


def write_unsynced(path: Path, value: dict[str, Any]) -> None:
    """Write the same bytes as the store, without its care for durability."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**value, "checksum": sha256_json(value)}, indent=1, sort_keys=True, ensure_ascii=False))


def manifest_of(
    node: Node,
    action_key: str,
    inputs: dict[str, str],
    digest: str,
    info: dict[str, Any],
    provenance: Mapping[str, Any] = MappingProxyType({}),
) -> Manifest:
    """Return the manifest of a node's output, which has no files."""
    return Manifest(
        action_key=action_key,
        recipe_key=node.recipe_key,
        stage=node.stage,
        recipe=node.recipe,
        inputs=inputs,
        digest=digest,
        files={},
        provenance={role: Provenance.model_validate(known) for role, known in provenance.items()},
        info=info,
    )


def pretend(
    graph: Graph,
    root: Path,
    *,
    digest: Callable[[Node], str] = lambda node: node.recipe_key,
    done: Callable[[Node], bool] = lambda node: True,
    last: Callable[[Node], float] = lambda node: 50.0,
) -> State:
    """Store an output for each node that is ``done`` and whose inputs are; return the state of the plan.

    Args:
        digest: of a node's content; equal digests of inputs make equal action keys.
        last: the accuracy of an evaluation.
    """
    store = Store.open(root)
    state = State(graph, store)
    for key, node in graph.nodes.items():
        if not done(node) or any(parent not in state.digests for parent in node.inputs.values()):
            continue
        inputs = node.inputs.map(state.digests.__getitem__)
        action_key = node.action_key(inputs)
        room = "results" if STAGES[node.stage].makes_result else "artifacts"
        folder = root / room / action_key[:2] / action_key
        provenance = {part: ref.provenance for part, ref in node.uses.items()}
        if STAGES[node.stage].makes_result:
            write_unsynced(folder / "f1.json", record(action_key, last(node), lineage=list(provenance.values())))
            continue
        manifest = manifest_of(node, action_key, dict(inputs.named()), digest(node), {}, provenance)
        write_unsynced(folder / "manifest.json", manifest.to_json())
        state.digests[key] = manifest.digest
    return State(graph, store).resolve_all()
