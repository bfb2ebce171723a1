"""A store that claims to have recorded how long each node of a plan took."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ddbench.plan import STAGES, Graph, Node, State
from ddbench.plan.estimate.work import Workload, evaluation_of
from ddbench.store import Store
from ddbench.toolkit.hardware import cpu_model
from tests.plan.pretend import manifest_of, record, write_unsynced

H100 = {"device": "cuda", "device_model": "NVIDIA H100 80GB HBM3"}
T4 = {**H100, "device_model": "Tesla T4"}
THIS_CPU = {"device": "cpu", "device_model": cpu_model()}
PROCESS_MIB = 9999.0


def record_all(
    graph: Graph,
    root: Path,
    seconds: Callable[[Node], float],
    *,
    environment: dict[str, Any] = H100,
    mebibytes: float = 100.0,
    validation: int = 18,
    cpu_share: float = 1.0,
    resumed: Callable[[Node], bool] = lambda node: False,
    details: Callable[[Node], dict[str, Any]] = lambda node: {},
) -> State:
    """Store for every node that it took so many seconds, and that its tensors held so much of a GPU's memory.

    Args:
        resumed: of which nodes these are said to be the seconds of the rest.
        cpu_share: CPU seconds for each second that passed.
        details: what the evaluator says of a training.
    """
    store = Store.open(root)
    state, images = State(graph, store), Workload(State(graph, store))
    usage = {"peak_memory_mib": PROCESS_MIB}
    if environment["device"] == "cuda":
        usage["peak_device_memory_mib"] = mebibytes
    for key, node in graph.nodes.items():
        inputs = node.inputs.map(state.digests.__getitem__)
        action_key = node.action_key(inputs)
        state.digests[key] = key
        took = {**usage, "wall_s": seconds(node), "cpu_s": cpu_share * seconds(node)}
        took |= {"resumed": True} if resumed(node) else {}
        room = root / ("results" if STAGES[node.stage].makes_result else "artifacts") / action_key[:2] / action_key
        if STAGES[node.stage].makes_result:
            made = {
                **record(action_key, 50.0, fingerprint="f"),
                "result": {"last": 50.0, "best": None, "evaluations": 1, "curve": [], "details": details(node)},
                "protocol": node.settings["protocol"],
                **{role: ref.address for role, ref in node.uses.items()},
                "validation": {"digest": "d", "size": validation, "standard_error": None},
                "distilled": {"digest": "d", "size": images.of(key).images, "ipc": node.settings["ipc"]},
                "stages": [{"stage": "evaluate", "action_key": action_key, **took}],
            }
            made["environment"] |= {**environment, "numerics": evaluation_of(node).numerics}
            write_unsynced(room / "f.json", made)
            continue
        info = {"samples": images.of(key).images, "usage": took, "environment": environment, "pool_size": 12}
        manifest = manifest_of(node, action_key, dict(inputs.named()), key, info)
        write_unsynced(room / "manifest.json", manifest.to_json())
    return State(graph, store).resolve_all()
