"""What each stage does: from stored inputs to an output. The only place where components meet the store."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, cast

from ddbench.api import (
    Context,
    DistilledSet,
    Fittable,
    Generator,
    LabeledImages,
    Pool,
    Refiner,
    Samples,
    Scorer,
    Selector,
    combine_digests,
    image_digests,
    sha256_json,
    tensor_digest,
)
from ddbench.errors import ComponentError, LeakError
from ddbench.run.job import Job
from ddbench.run.workshop import Workshop
from ddbench.store import Output

if TYPE_CHECKING:
    from torch import Tensor

Stage = Callable[[Job, Workshop, Context], Output]


def dataset(job: Job, shop: Workshop, ctx: Context) -> Output:
    """Check that the data is there and whole; the output stands for it in every key."""
    data = shop.dataset(job)
    splits = {"train": data.train(), "validation": data.validation()}
    digests = {name: _split_digest(split) for name, split in splits.items()}
    content = {
        "classes": [[c.name, c.wnid, c.imagenet_index] for c in data.classes],
        "digests": digests,
        "sizes": {name: len(split) for name, split in splits.items()},
        "validation_images": sorted(set(image_digests(splits["validation"].images))),
    }
    return Output(content=content)


def _split_digest(split: LabeledImages) -> str:
    parts = {"images": tensor_digest(split.images), "labels": tensor_digest(split.labels)}
    return combine_digests({**parts, "ids": sha256_json(list(split.ids))})


def fit(job: Job, shop: Workshop, ctx: Context) -> Output:
    """Fit the generator or scorer that the job is for."""
    role = next(role for role in job.uses if role != "dataset")
    component = shop.bare(job, role)
    assert isinstance(component, Fittable)
    assert ctx.scratch is not None
    folder = ctx.scratch / "fitted"
    folder.mkdir()
    component.fit(shop.training(job), folder, ctx)
    return Output(folder=folder)


def generate(job: Job, shop: Workshop, ctx: Context) -> Output:
    """Make one block of samples of a few classes; stop the run if one of them is a validation image."""
    import torch

    generator = cast("Generator", shop.component(job, "generator", ctx))
    first, last = job.settings["classes"]
    parts: list[Samples] = []
    for class_index in range(first, last):
        parts.append(generator.sample_block(class_index, job.settings["block"], ctx))
        ctx.progress(class_index - first + 1, last - first)
    samples = Samples.concatenate(parts)
    _check_leak(samples, set(shop.artifact(job, "dataset").content()["validation_images"]), job)
    counts = torch.tensor([len(part) for part in parts])
    labels = torch.repeat_interleave(torch.arange(first, last), counts)
    tensors = {"images": samples.images, "labels": labels}
    if samples.latents is not None:
        tensors["latents"] = samples.latents
    return Output(tensors, content={"ids": list(samples.ids)})


def _check_leak(samples: Samples, validation: set[str], job: Job) -> None:
    for sample_id, digest in zip(samples.ids, image_digests(samples.images), strict=True):
        if digest in validation:
            raise LeakError(
                f"image '{sample_id}' of generator '{job.uses['generator']['name']}' is a validation image of "
                f"data set '{job.uses['dataset']['name']}'",
                hint="remove it from the pool: a student would be tested on what it was trained on",
            )


def score(job: Job, shop: Workshop, ctx: Context) -> Output:
    """What a scorer says of one shard."""
    import torch

    scorer = cast("Scorer", shop.component(job, "scorer", ctx))
    fields = scorer.score(shop.artifact(job, "samples").tensor("images"), ctx)
    missing = set(scorer.provides) - set(fields)
    if missing:
        raise ComponentError(f"{scorer.label()} did not write the field '{min(missing)}' that it declares")
    for name, values in fields.items():
        if values.is_floating_point() and not torch.isfinite(values).all():
            raise ComponentError(f"{scorer.label()} wrote NaN or infinite values into the field '{name}'")
    per_class = scorer.class_fields(shop.training(job), ctx)
    return Output({**fields, **{f"class.{name}": values for name, values in per_class.items()}})


def select(job: Job, shop: Workshop, ctx: Context) -> Output:
    """Choose from the cell's own prefix of the pool."""
    import torch

    selector = cast("Selector", shop.bare(job, "selector"))
    pool, shards = _pool(job, shop)
    selection = selector.select(pool, job.settings["ipc"], ctx)
    content = {
        "shards": [shards[i] for i in selection.indices],
        "ids": [pool.sample_ids[i] for i in selection.indices],
    }
    info = {"scores": selection.scores, "info": dict(selection.info), "pool_size": len(pool)}
    return Output({"labels": torch.stack([pool.labels[i] for i in selection.indices])}, content, info)


def _roles(job: Job, prefix: str) -> list[str]:
    """The job's inputs under ``prefix/``, classes and blocks in their numeric order."""
    roles = [role for role in job.inputs if role.startswith(f"{prefix}/")]
    return sorted(roles, key=lambda role: tuple(int(part) for part in role.split("/")[-2:]))


def _pool(job: Job, shop: Workshop) -> tuple[Pool, list[str]]:
    """The pool prefix of a selection, and for each sample the shard it lies in."""
    import torch

    classes = [name for name, _, _ in shop.artifact(job, "dataset").content()["classes"]]
    roles = _roles(job, "samples")
    labels = torch.cat([shop.artifact(job, role).tensor("labels") for role in roles])
    ids = [i for role in roles for i in shop.artifact(job, role).content()["ids"]]
    shards = [role for role in roles for _ in shop.artifact(job, role).content()["ids"]]
    keep = _prefix(labels.tolist(), len(classes), job.settings["pool"])
    index = torch.tensor(keep)

    def gather(name: str, sources: Iterable[str]) -> Tensor:
        return torch.cat([shop.artifact(job, source).tensor(name) for source in sources])[index]

    has_latents = all("latents" in shop.artifact(job, role).tensor_names for role in roles)
    fields, class_fields = _fields(job, shop, gather)
    pool = Pool(
        labels=labels[index],
        class_names=tuple(classes),
        sample_ids=tuple(ids[i] for i in keep),
        fields=fields,
        class_fields=class_fields,
        latents=gather("latents", roles) if has_latents else None,
        image_source=lambda: gather("images", roles),
    )
    return pool, [shards[i] for i in keep]


def _prefix(labels: list[int], classes: int, count: int | None) -> list[int]:
    """Positions of the first ``count`` samples of each class, class after class; None is all of them."""
    positions: list[list[int]] = [[] for _ in range(classes)]
    for position, label in enumerate(labels):
        positions[label].append(position)
    return [i for own in positions for i in own[:count]]


def _fields(
    job: Job, shop: Workshop, gather: Callable[[str, Iterable[str]], Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The fields of every scorer role that the selection takes."""
    fields: dict[str, Tensor] = {}
    class_fields: dict[str, Tensor] = {}
    for role in sorted({name.split("/")[1] for name in job.inputs if name.startswith("scores/")}):
        sources = _roles(job, f"scores/{role}")
        first = shop.artifact(job, sources[0])
        for name in first.tensor_names:
            if name.startswith("class."):
                class_fields[f"{role}.{name.removeprefix('class.')}"] = first.tensor(name)
            else:
                fields[f"{role}.{name}"] = gather(name, sources)
    return fields, class_fields


def distill(job: Job, shop: Workshop, ctx: Context) -> Output:
    """Gather the chosen images into a distilled set, in the order of the selection."""
    import torch

    selection = shop.artifact(job, "selection")
    chosen = selection.content()
    shards = sorted(set(chosen["shards"]))
    ids = {role: shop.artifact(job, role).content()["ids"] for role in shards}
    place = {(role, sample_id): i for role in shards for i, sample_id in enumerate(ids[role])}
    names = set.intersection(*(set(shop.artifact(job, role).tensor_names) for role in shards)) - {"labels"}
    tensors = {"labels": selection.tensor("labels")}
    for name in sorted(names):
        values = {role: shop.artifact(job, role).tensor(name) for role in shards}
        picked = zip(chosen["shards"], chosen["ids"], strict=True)
        tensors[name] = torch.stack([values[role][place[role, sample_id]] for role, sample_id in picked])
    return Output(tensors, content={"ids": chosen["ids"]})


def distilled_set(job: Job, shop: Workshop) -> DistilledSet:
    """The distilled set that a job takes."""
    artifact = shop.artifact(job, "distilled")
    latents = artifact.tensor("latents") if "latents" in artifact.tensor_names else None
    ids = tuple(artifact.content()["ids"])
    return DistilledSet(artifact.tensor("images"), artifact.tensor("labels"), ids, latents)


def refine(job: Job, shop: Workshop, ctx: Context) -> Output:
    """Polish a distilled set: the same samples in the same order."""
    refiner = cast("Refiner", shop.bare(job, "refiner"))
    generator = cast("Generator", shop.component(job, "generator", ctx))
    before = distilled_set(job, shop)
    after = refiner.refine(before, generator.prior, None, ctx)
    if after.sample_ids != before.sample_ids or not after.labels.equal(before.labels):
        raise ComponentError(f"{refiner.label()} changed which samples are in the set, or their labels")
    tensors = {"images": after.images, "labels": after.labels}
    if after.latents is not None:
        tensors["latents"] = after.latents
    return Output(tensors, content={"ids": list(after.sample_ids)})


STAGES: dict[str, Stage] = {
    "dataset": dataset,
    "fit": fit,
    "generate": generate,
    "score": score,
    "select": select,
    "distill": distill,
    "refine": refine,
}
