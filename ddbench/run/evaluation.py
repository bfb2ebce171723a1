"""The last stage: train a student on a distilled set and record the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, cast

from pydantic import ValidationError

from ddbench.api import KINDS, Context, Dataset, DistilledSet, Evaluator, Student, canonical_json
from ddbench.errors import ComponentError
from ddbench.protocol.protocol import Protocol
from ddbench.record import (
    ComponentUse,
    Distilled,
    Environment,
    FileReference,
    ProtocolUse,
    Provenance,
    Result,
    RunRecord,
    Settings,
    Soft,
    StageRecord,
    Usage,
    Validation,
    pack_predictions,
)
from ddbench.record.part import first_mistake
from ddbench.record.predictions import SUFFIX, reference
from ddbench.run.job import Job
from ddbench.run.stages import distilled_set, images_per_class, teacher
from ddbench.run.worker_cache import WorkerCache
from ddbench.stats.summary import binomial_standard_error
from ddbench.store import Manifest
from ddbench.toolkit.environment import environment, fingerprint
from ddbench.train.numerics import Numerics

_KINDS = list(KINDS)


@dataclass(frozen=True)
class Measured:
    """The outcome of an evaluation.

    Attributes:
        result: the accuracies.
        predictions: the file of predictions; None if the evaluator reports none.
    """

    result: Result
    predictions: bytes | None = None


def evaluate(job: Job, cache: WorkerCache, ctx: Context) -> Measured:
    """Run one evaluation. Raise ComponentError if the evaluator returns an invalid result."""
    evaluator = cast("Evaluator", cache.bare(job, "evaluator"))
    student = cast("Student", cache.bare(job, "student"))
    protocol = Protocol.model_validate(job.worker_args["protocol"])
    distilled, dataset = distilled_set(job, cache.inputs(job)), cache.dataset(job)
    if "shuffled" in job.settings:
        distilled = shuffled(distilled, job.settings["shuffled"])
    made = evaluator.evaluate(distilled, dataset, student, protocol, teacher(job, cache, ctx), ctx)
    predictions = _predictions(made.predictions, evaluator, dataset)
    try:
        result = Result(
            last=made.last,
            best=made.best,
            evaluations=made.evaluations,
            curve=list(made.curve),
            details=dict(made.details),
        )
    except ValidationError as error:
        raise ComponentError(f"{evaluator.label()} returned an invalid result: {first_mistake(error)}") from None
    return Measured(result, predictions)


def _predictions(found: Sequence[int] | None, evaluator: Evaluator, dataset: Dataset) -> bytes | None:
    """Return predictions as a file. Raise ComponentError unless there is one class for each validation image."""
    if found is None:
        return None
    images, classes = len(dataset.validation()), len(dataset.classes)
    if len(found) != images or not all(isinstance(label, int) and 0 <= label < classes for label in found):
        problem = f"{len(found)} predictions for {images} validation images of {classes} classes"
        raise ComponentError(
            f"{evaluator.label()} returned {problem}", hint="it must return one class index for each image, from 0 on"
        )
    return pack_predictions(found, classes)


def shuffled(distilled: DistilledSet, seed: int) -> DistilledSet:
    """Return the set with its labels in random order. Each class keeps its number of images."""
    order = Context(seed=seed).rng("shuffled labels").permutation(len(distilled))
    return replace(distilled, labels=distilled.labels[order])


def make_record(job: Job, cache: WorkerCache, ctx: Context, made: Measured, usage: dict[str, float]) -> RunRecord:
    """Return the complete record of an evaluation: result, components, environment, and cost of each stage."""
    inputs = cache.inputs(job)
    assert inputs.dataset is not None
    assert inputs.distilled is not None
    data = inputs.dataset.content()
    env = {**environment(ctx.device, ctx.threads), "numerics": str(Numerics.of(ctx))}
    before = [cache.store.artifact(key).manifest for key in job.lineage]
    uses = {role: ComponentUse.model_validate(use) for role, use in job.uses.items()}
    size, images = data["sizes"]["validation"], len(inputs.distilled.content()["ids"])
    return RunRecord(
        format=2,
        action_key=job.action_key,
        fingerprint=fingerprint(env),
        result=made.result,
        settings=Settings(seed=job.settings["seed"], evaluation=ctx.evaluation.model_dump(mode="json")),
        protocol=_protocol(job),
        evaluator=uses["evaluator"],
        student=uses["student"],
        dataset=uses["dataset"],
        teacher=uses.get("teacher"),
        validation=Validation(
            digest=data["digests"]["validation"],
            size=size,
            standard_error=binomial_standard_error(made.result.last, size),
        ),
        distilled=Distilled(
            digest=str(job.input_digests.distilled),
            size=images,
            ipc=images_per_class(job, images, len(data["classes"])),
        ),
        soft_labels=_soft(job),
        lineage=_lineage(job, before),
        environment=Environment.model_validate(env),
        stages=[*map(_stage, before), _last_stage(job, usage)],
        predictions=_reference(fingerprint(env), made.predictions),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _reference(name: str, predictions: bytes | None) -> FileReference | None:
    return None if predictions is None else reference(f"{name}{SUFFIX}", predictions)


def _protocol(job: Job) -> ProtocolUse:
    protocol = Protocol.model_validate(job.worker_args["protocol"])
    return ProtocolUse(**job.settings["protocol"], content=protocol.content if protocol.is_local else None)


def _soft(job: Job) -> Soft | None:
    digest = job.input_digests.soft
    return None if digest is None else Soft(digest=digest, tau=job.settings["tau"])


def _lineage(job: Job, before: list[Manifest]) -> list[Provenance]:
    """Return the origin of every component of the pipeline, each once, in the order of the kinds."""
    own = map(Provenance.model_validate, job.provenance.values())
    each: dict[str, Provenance] = {}
    for origin in (*(origin for manifest in before for origin in manifest.provenance.values()), *own):
        text = canonical_json(origin.model_dump(mode="json"))
        each.pop(text, None)
        each[text] = origin
    return sorted(each.values(), key=lambda origin: _KINDS.index(origin.kind))


def _stage(manifest: Manifest) -> StageRecord:
    """Return the record of an earlier stage."""
    return StageRecord(
        stage=manifest.stage,
        action_key=manifest.action_key,
        uses={role: (use["name"], use["version"]) for role, use in manifest.recipe["uses"].items()},
        settings=manifest.recipe["settings"],
        notes=manifest.made.notes,
        **(manifest.made.usage or Usage()).model_dump(),
    )


def _last_stage(job: Job, usage: dict[str, Any]) -> StageRecord:
    uses = {role: (use["name"], use["version"]) for role, use in job.recipe["uses"].items()}
    notes = [f"labels shuffled with seed {job.settings['shuffled']}"] if "shuffled" in job.settings else []
    return StageRecord(stage=job.stage, action_key=job.action_key, uses=uses, notes=notes, **usage)
