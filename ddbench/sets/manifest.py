"""The manifest of an exported set: what it is, and how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from ddbench import __version__
from ddbench.api import DistilledSet, tensor_digest
from ddbench.plan import State
from ddbench.sets.chosen import ChosenSet, teacher_of
from ddbench.suite import ResolvedSuite

FORMAT: Final = 1


def manifest(
    suite: ResolvedSuite, state: State, chosen: ChosenSet, data: DistilledSet, files: Sequence[str]
) -> dict[str, Any]:
    """Return the manifest as JSON. It may hold paths of the suite.

    Args:
        suite: the suite.
        state: the state of its plan.
        chosen: the set.
        data: its images and labels.
        files: the file of each image.
    """
    cell, dataset, soft = chosen.cell, suite.dataset.component, None
    if data.soft is not None:
        teacher, digest = teacher_of(suite, chosen), tensor_digest(data.soft.logits)
        soft = {"teacher": teacher, "tau": data.soft.tau, "when": cell.row.labels.when, "digest": digest}
    named = zip(files, data.labels.tolist(), data.sample_ids, strict=True)
    return {
        "format": FORMAT,
        "written_by": f"ddbench {__version__}",
        "suite": suite.name,
        "method": cell.row.name,
        "ipc": data.ipc,
        "seeds": chosen.seeds,
        "dataset": {
            "name": suite.dataset.label,
            "licence": dataset.licence,
            "classes": [{"label": label, **asdict(info)} for label, info in enumerate(dataset.classes)],
        },
        "generator": {"name": cell.row.generator.label, "licence": cell.row.generator.component.licence},
        "images": {
            "shape": list(data.images.shape),
            "dtype": str(data.images.dtype).removeprefix("torch."),
            "digest": tensor_digest(data.images),
        },
        "soft_labels": soft,
        "samples": [{"file": file, "label": label, "id": own} for file, label, own in named],
        "recipe_key": chosen.distilled,
        "digest": state.digests[chosen.distilled],
        "stages": stages(state, chosen),
    }


def stages(state: State, chosen: ChosenSet) -> list[dict[str, Any]]:
    """Return recipe, keys, digest, environment and origin of each piece of work behind a set, in the plan's order.

    Earlier versions did not check teachers, so a check may be missing.
    """
    ends = {key for key in (chosen.distilled, chosen.soft) if key is not None}
    used = ends.union(*(state.graph.ancestors(key) for key in ends)) & state.manifests.keys()
    made = {key: state.manifests[key] for key in state.graph.nodes if key in used}
    return [
        {
            "stage": one.stage,
            "recipe_key": key,
            "action_key": one.action_key,
            "digest": one.digest,
            "recipe": one.recipe,
            "notes": one.made.notes,
            "environment": one.info.get("environment"),
            "provenance": {part: origin.model_dump(mode="json") for part, origin in one.provenance.items()},
        }
        for key, one in made.items()
    ]
