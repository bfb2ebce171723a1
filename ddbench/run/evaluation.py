"""The last stage: train a student on a distilled set and write down what came of it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, cast

from ddbench.api import Context, Evaluator, Student
from ddbench.run.environment import environment, fingerprint
from ddbench.run.job import Job
from ddbench.run.stages import distilled_set, teacher
from ddbench.run.workshop import Workshop
from ddbench.stats.summary import binomial_standard_error
from ddbench.train.numerics import Numerics
from ddbench.train.protocol import Protocol


def evaluate(job: Job, shop: Workshop, ctx: Context) -> dict[str, Any]:
    """Run one evaluation; return its part of the record, as JSON."""
    evaluator = cast("Evaluator", shop.bare(job, "evaluator"))
    student = cast("Student", shop.bare(job, "student"))
    protocol = Protocol.model_validate(job.payload["protocol"])
    distilled, dataset = distilled_set(job, shop), shop.dataset(job)
    result = evaluator.evaluate(distilled, dataset, student, protocol, teacher(job, shop, ctx), ctx)
    return asdict(result)


def make_record(
    job: Job, shop: Workshop, ctx: Context, result: dict[str, Any], usage: dict[str, float]
) -> tuple[str, dict[str, Any]]:
    """The RunRecord of an evaluation and the fingerprint of its environment.

    It stands on its own: what was measured, on which validation set, by what, where, and what each stage took.
    """
    data = shop.artifact(job, "dataset").content()
    env = {**environment(ctx.device, ctx.threads), "numerics": str(Numerics.of(ctx))}
    mark = fingerprint(env)
    record = {
        "action_key": job.action_key,
        "fingerprint": mark,
        "result": result,
        "training_seed": job.settings["seed"],
        "protocol": job.settings["protocol"],
        "evaluator": job.uses["evaluator"],
        "student": job.uses["student"],
        "dataset": job.uses["dataset"],
        "validation": {
            "digest": data["digests"]["validation"],
            "size": data["sizes"]["validation"],
            "standard_error": binomial_standard_error(result["last"], data["sizes"]["validation"]),
        },
        "distilled": job.input_digests["distilled"],
        "distilled_size": len(shop.artifact(job, "distilled").content()["ids"]),
        "soft_labels": job.input_digests.get("soft"),
        "temperature": job.settings.get("temperature"),
        "teacher": job.uses.get("teacher"),
        "environment": env,
        "sources": job.sources,
        "stages": [*_stages(job, shop), {"stage": "evaluate", "action_key": job.action_key, **usage}],
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    return mark, record


def _stages(job: Job, shop: Workshop) -> list[dict[str, Any]]:
    """What each stage before this one took, and what it was."""
    manifests = [shop.store.manifest(key) for key in job.lineage]
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
