"""What a worker is told: one frozen node, with everything in it that the work needs."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from typing import Any, Final

from ddbench.plan import STAGES, Graph, Inputs, State

_INPUTS: Final = ("inputs", "input_digests")


@dataclass(frozen=True)
class Job:
    """A node to run.

    Attributes:
        uses: components by their part in the work, as ``{kind, name, params}``.
        inputs: action keys of stored inputs.
        recipe, input_digests: for the manifest of the output.
        provenance: of each component, by its part in the work; for the manifest and the record.
        lineage: action keys of everything the output descends from, for the record of an evaluation.
    """

    action_key: str
    recipe_key: str
    stage: str
    label: str
    uses: dict[str, dict[str, Any]]
    settings: dict[str, Any]
    worker_args: dict[str, Any]
    inputs: Inputs[str]
    recipe: dict[str, Any]
    input_digests: Inputs[str]
    provenance: dict[str, dict[str, Any]]
    lineage: list[str]
    threads: int

    def to_line(self) -> str:
        """Return the job as one line of JSON."""
        value = {field.name: getattr(self, field.name) for field in fields(self)}
        value |= {name: value[name].to_json() for name in _INPUTS}
        return json.dumps(value, ensure_ascii=False) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Job:
        """Return the job that :meth:`to_line` wrote."""
        value = json.loads(line)
        return cls(**{**value, **{name: Inputs.from_json(value[name]) for name in _INPUTS}})


def make_job(graph: Graph, state: State, key: str) -> Job:
    """Freeze a node whose inputs are all stored."""
    node = graph.nodes[key]
    lineage = {state.action_keys[a] for a in graph.ancestors(key)} if STAGES[node.stage].makes_result else set()
    return Job(
        action_key=state.action_keys[key],
        recipe_key=key,
        stage=node.stage,
        label=node.label,
        uses={part: ref.address for part, ref in node.uses.items()},
        settings=dict(node.settings),
        worker_args=dict(node.worker_args),
        inputs=node.inputs.map(state.action_keys.__getitem__),
        recipe=node.recipe,
        input_digests=node.inputs.map(state.digests.__getitem__),
        provenance={part: ref.provenance for part, ref in node.uses.items()},
        lineage=sorted(lineage),
        threads=node.threads,
    )
