"""The last stage: train a student on a distilled set and write down what came of it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, cast

from ddbench.api import Context, Evaluator, Student
from ddbench.protocol.protocol import Protocol
from ddbench.run.job import Job
from ddbench.run.stages import distilled_set, teacher
from ddbench.run.worker_cache import WorkerCache
from ddbench.stats.summary import binomial_standard_error
from ddbench.toolkit.environment import environment, fingerprint
from ddbench.train.numerics import Numerics


def evaluate(job: Job, cache: WorkerCache, ctx: Context) -> dict[str, Any]:
    """Run one evaluation; return its part of the record, as JSON."""
    evaluator = cast("Evaluator", cache.bare(job, "evaluator"))
    student = cast("Student", cache.bare(job, "student"))
    protocol = Protocol.model_validate(job.worker_args["protocol"])
    distilled, dataset = distilled_set(job, cache.inputs(job)), cache.dataset(job)
    result = evaluator.evaluate(distilled, dataset, student, protocol, teacher(job, cache, ctx), ctx)
    return asdict(result)


def make_record(
    job: Job, cache: WorkerCache, ctx: Context, result: dict[str, Any], usage: dict[str, float]
) -> tuple[str, dict[str, Any]]:
    """The RunRecord of an evaluation and the fingerprint of its environment.

    It stands on its own: what was measured, on which validation set, by what, where, and what each stage took.
    """
    inputs = cache.inputs(job)
    assert inputs.dataset is not None
    assert inputs.distilled is not None
    data = inputs.dataset.content()
    env = {**environment(ctx.device, ctx.threads), "numerics": str(Numerics.of(ctx))}
    mark = fingerprint(env)
    record = {
        "action_key": job.action_key,
        "fingerprint": mark,
        "result": result,
        "training_seed": job.settings["seed"],
        "evaluation": ctx.evaluation.model_dump(mode="json"),
        "protocol": job.settings["protocol"],
        "evaluator": job.uses["evaluator"],
        "student": job.uses["student"],
        "dataset": job.uses["dataset"],
        "validation": {
            "digest": data["digests"]["validation"],
            "size": data["sizes"]["validation"],
            "standard_error": binomial_standard_error(result["last"], data["sizes"]["validation"]),
        },
        "distilled": job.input_digests.distilled,
        "ipc": job.settings["ipc"],
        "distilled_size": len(inputs.distilled.content()["ids"]),
        "soft_labels": job.input_digests.soft,
        "tau": job.settings.get("tau"),
        "teacher": job.uses.get("teacher"),
        "environment": env,
        "sources": job.sources,
        "stages": [*_stages(job, cache), {"stage": job.stage, "action_key": job.action_key, **usage}],
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return mark, record


def _stages(job: Job, cache: WorkerCache) -> list[dict[str, Any]]:
    """What each stage before this one took, and what it was."""
    manifests = [cache.store.manifest(key) for key in job.lineage]
    return [
        {
            "stage": m.stage,
            "action_key": m.action_key,
            "uses": {role: [use["name"], use["version"]] for role, use in m.recipe["uses"].items()},
            **m.info["usage"],
        }
        for m in manifests
        if m is not None
    ]
