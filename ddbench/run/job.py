"""What a worker is told: one frozen node, with everything in it that the work needs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from ddbench.plan import Graph, State


@dataclass(frozen=True)
class Job:
    """A node to run.

    Attributes:
        uses: components by role, as ``{kind, name, params}``.
        inputs: action keys of stored inputs, by role.
        recipe, input_digests: for the manifest of the output.
        provenance: of each component, by role; for the manifest and the record.
        lineage: action keys of everything the output descends from, for the record of an evaluation.
    """

    action_key: str
    recipe_key: str
    stage: str
    label: str
    uses: dict[str, dict[str, Any]]
    settings: dict[str, Any]
    worker_args: dict[str, Any]
    inputs: dict[str, str]
    recipe: dict[str, Any]
    input_digests: dict[str, str]
    provenance: dict[str, dict[str, Any]]
    lineage: list[str]
    threads: int

    def to_line(self) -> str:
        """The job as one line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Job:
        """The job that :meth:`to_line` wrote."""
        return cls(**json.loads(line))


def make_job(graph: Graph, state: State, key: str) -> Job:
    """Freeze a node whose inputs are all stored."""
    node = graph.nodes[key]
    lineage = {state.action_keys[a] for a in graph.ancestors(key)} if node.stage == "evaluate" else set()
    return Job(
        action_key=state.action_keys[key],
        recipe_key=key,
        stage=node.stage,
        label=node.label,
        uses={role: ref.address for role, ref in node.uses.items()},
        settings=dict(node.settings),
        worker_args=dict(node.worker_args),
        inputs={role: state.action_keys[parent] for role, parent in node.inputs.items()},
        recipe=node.recipe,
        input_digests={role: state.digests[parent] for role, parent in node.inputs.items()},
        provenance={role: ref.provenance for role, ref in node.uses.items()},
        lineage=sorted(lineage),
        threads=node.threads,
    )
