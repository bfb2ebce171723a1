"""Match results of key format 1, made by ddbench 0.1, with the cells of a plan.

The keys of the two formats differ, so the work itself is compared. An old record names the training. The manifests of
its ancestors, which a store never removes, name the components and seeds. A result matches a cell if all of these
agree. Parameters that exist in only one of the formats are not compared.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ddbench.api.settings import EvaluationSettings
from ddbench.plan.graph import Graph
from ddbench.plan.node import ComponentRef, Node
from ddbench.record import RunRecord
from ddbench.store import Manifest, Store
from ddbench.suite import Cell

_FORMAT = 1


def earlier_results(graph: Graph, wanted: set[str], store: Store) -> dict[str, list[RunRecord]]:
    """Return the records of format 1 that match the ``wanted`` evaluations, by recipe key."""
    manifests = {m.action_key: m for m in store.manifests() if m.format == _FORMAT}
    by_place: dict[tuple[Any, ...], list[_Made]] = defaultdict(list)
    for record in store.all_results():
        made = _made(record, manifests) if record.format == _FORMAT else None
        if made is not None:
            by_place[made.place].append(made)
    found: dict[str, list[RunRecord]] = {}
    for cell, key in graph.cells:
        if key in wanted and key not in found:
            node = graph.nodes[key]
            near = by_place.get(
                (cell.row.protocol.id, cell.student.component.info.name, cell.training_seed, cell.ipc), ()
            )
            records = [made.record for made in near if _matches(made, cell, node, graph, key)]
            if records:
                found[key] = records
    return found


@dataclass(frozen=True)
class _Made:
    """An old result and the stages before it.

    Attributes:
        record: the record of the training.
        stages: the manifests of the earlier stages.
        place: protocol, student, training seed and images per class, which are compared first.
    """

    record: RunRecord
    stages: Sequence[Manifest]
    place: tuple[Any, ...]

    def settings(self, stage: str, name: str) -> set[Any]:
        """Return the values of a setting over the nodes of a stage."""
        all_settings = [m.recipe.get("settings", {}) for m in self.stages if m.stage == stage]
        return {settings[name] for settings in all_settings if name in settings}


def _made(record: RunRecord, manifests: Mapping[str, Manifest]) -> _Made | None:
    """Return an old result with its stages; None if a stage is unknown or if there was not exactly one selection."""
    before = [manifests.get(stage.action_key) for stage in record.stages[:-1]]
    stages = [manifest for manifest in before if manifest is not None]
    selections = [m.recipe.get("settings", {}) for m in stages if m.stage == "select"]
    if (
        len(stages) < len(before)
        or len(selections) != 1
        or not (record.protocol and record.student and record.settings)
    ):
        return None
    place = (record.protocol.id, record.student.name, record.settings.seed, selections[0].get("ipc"))
    return _Made(record, stages, place)


def _matches(made: _Made, cell: Cell, node: Node, graph: Graph, key: str) -> bool:
    """Return True if an old result, whose place agrees, matches a cell in all other respects."""
    record, row = made.record, cell.row
    settings, soft = record.settings, record.soft_labels
    assert settings is not None
    evaluation = EvaluationSettings.model_validate(node.settings["evaluation"]).model_dump()
    return (
        _agree(settings.evaluation, evaluation)
        and (record.result.best is not None or evaluation["evaluate"] == "last")
        and (None if soft is None else soft.tau) == (row.labels.tau if row.soft_students else None)
        and made.settings("select", "pool") == {row.pool.count(cell.ipc)}
        and made.settings("select", "seed") <= {cell.selection_seed}
        and made.settings("refine", "seed") <= {cell.selection_seed}
        and made.settings("generate", "seed") <= {cell.generation_seed}
        and made.settings("refine", "temperature") <= {row.labels.tau}
        and (soft is None or _time_of_labelling(made, soft.digest) in (None, row.labels.when))
        and _same_components(made, _refs(graph, key), node)
    )


def _time_of_labelling(made: _Made, soft: str) -> str | None:
    """Return ``before-refine`` or ``after-refine``, the time of the teacher's labels; None without refinement."""
    if not any(manifest.stage == "refine" for manifest in made.stages):
        return None
    seen = {m.inputs.get("distilled") for m in made.stages if m.stage == "label" and m.digest == soft}
    distilled = made.record.distilled
    return "after-refine" if distilled is not None and distilled.digest in seen else "before-refine"


def _refs(graph: Graph, key: str) -> list[ComponentRef]:
    """Return the components of everything before an evaluation."""
    refs = {id(ref): ref for parent in graph.ancestors(key) for ref in graph.nodes[parent].uses.values()}
    return list(refs.values())


def _same_components(made: _Made, before: Iterable[ComponentRef], node: Node) -> bool:
    """Return True if the evaluation and the stages before it used the same components."""
    record = made.record
    trained = {"evaluator": record.evaluator, "student": record.student, "dataset": record.dataset}
    trained |= {"teacher": record.teacher} if record.teacher is not None else {}
    if {role for role, use in trained.items() if use is not None} != node.uses.keys():
        return False
    for role, ref in node.uses.items():
        use = trained[role]
        if use is None or use.name != ref.component.info.name or not _agree(use.params, ref.keyed["params"]):
            return False
    old = [use for manifest in made.stages for use in manifest.recipe["uses"].values()]
    new = [ref.keyed for ref in before]
    return all(any(_same(use, other) for other in new) for use in old) and all(
        any(_same(use, other) for use in old) for other in new
    )


def _same(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Return True if name, version, fingerprint and common parameters of two components are equal."""
    names = ("name", "version", "fingerprint")
    return all(old.get(name) == new.get(name) for name in names) and _agree(old["params"], new["params"])


def _agree(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return all(old[name] == new[name] for name in old.keys() & new.keys())
