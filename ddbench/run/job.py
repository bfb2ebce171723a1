"""Jobs: the messages from the driver to workers. A job contains everything that its work needs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Final

from ddbench.plan import STAGES, Graph, Inputs, State
from ddbench.plan.drift import Drift
from ddbench.plan.node import ComponentRef

_INPUTS: Final = ("inputs", "input_digests")


@dataclass(frozen=True)
class Job:
    """A node to run.

    Attributes:
        action_key: the key under which the output is stored.
        recipe_key: the key of the recipe.
        stage: the name of the stage.
        label: a name for display.
        uses: components by their part in the work, as ``{kind, name, params}``.
        settings: seeds and sizes that decide the output.
        worker_args: further JSON for the worker.
        inputs: action keys of stored inputs.
        recipe: the recipe, for the manifest.
        input_digests: content digests of the inputs, for the manifest.
        provenance: the origin of each component, by its part in the work.
        lineage: action keys of all ancestors, for the record of an evaluation.
        threads: number of CPU threads.
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
        """Return the job as one line of JSON in ASCII."""
        value = {field.name: getattr(self, field.name) for field in fields(self)}
        value |= {name: value[name].to_json() for name in _INPUTS}
        return json.dumps(value) + "\n"

    @classmethod
    def from_line(cls, line: str | bytes) -> Job:
        """Read a job from the result of :meth:`to_line`."""
        value = json.loads(line)
        return cls(**{**value, **{name: Inputs.from_json(value[name]) for name in _INPUTS}})


def make_job(graph: Graph, state: State, key: str, accepted: Iterable[Drift] = ()) -> Job:
    """Make the job of a node whose inputs are all stored. Its provenance contains the accepted drift."""
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
        provenance={part: _provenance(ref, accepted) for part, ref in node.uses.items()},
        lineage=sorted(lineage),
        threads=node.threads,
    )


def _provenance(ref: ComponentRef, accepted: Iterable[Drift]) -> dict[str, Any]:
    info = ref.component.info
    hashes = sorted(drift.stored for drift in accepted if (drift.kind, drift.name) == (info.kind, info.name))
    return {**ref.provenance, **({"accepted_drift": hashes} if hashes else {})}
