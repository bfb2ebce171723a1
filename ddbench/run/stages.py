"""The function of each stage, from stored inputs to an output. Only this module connects components and the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, cast

from ddbench.api import (
    Context,
    DistilledSet,
    Fittable,
    Generator,
    LabeledImages,
    Refiner,
    Samples,
    Scorer,
    Selector,
    SoftLabels,
    combine_digests,
    image_digests,
    sha256_json,
    tensor_digest,
)
from ddbench.api.pixels import nearest_bytes, outside_unit
from ddbench.errors import ChanceError, ComponentError, LeakError
from ddbench.plan import STAGES, Inputs
from ddbench.run.assess import assess, neighbours
from ddbench.run.imported import check_stored_labels, with_latents
from ddbench.run.job import Job
from ddbench.run.kept import from_part, scored, to_part
from ddbench.run.pools import REAL_LABELS, build_pool, gathered
from ddbench.run.returned import check_finite, check_ids, check_refined, check_samples, check_split
from ddbench.run.worker_cache import WorkerCache
from ddbench.stats.chance import evenly_by_class, is_chance
from ddbench.store import Artifact, Output
from ddbench.text import counted
from ddbench.toolkit.draws import drawing
from ddbench.toolkit.kept_parts import KeptPart, KeptParts

if TYPE_CHECKING:
    from torch import Tensor

Run = Callable[[Job, WorkerCache, Context], Output]

# The functions of the stages that make artifacts, by stage name.
RUN: dict[str, Run] = {}


def runs(stage: str) -> Callable[[Run], Run]:
    """Register the function that runs a stage of ``STAGES``."""

    def register(function: Run) -> Run:
        RUN[STAGES[stage].name] = function
        return function

    return register


runs("neighbours")(neighbours)
runs("assess")(assess)


@runs("dataset")
def dataset(job: Job, cache: WorkerCache, ctx: Context) -> Output:
    """Check that the data is complete. The output represents the data set in every key."""
    data = cache.dataset(job)
    splits = {"train": data.train(), "validation": data.validation()}
    for name, split in splits.items():
        check_split(data, name, split)
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


@runs("fit")
def fit(job: Job, cache: WorkerCache, ctx: Context) -> Output:
    """Fit the generator or scorer of the job."""
    part = next(part for part in job.uses if part != "dataset")
    component = cache.bare(job, part)
    assert isinstance(component, Fittable)
    assert ctx.scratch is not None
    folder = ctx.scratch / "fitted"
    folder.mkdir()
    component.fit(cache.training(job), folder, ctx)
    return Output(folder=folder)


@runs("check")
def check(job: Job, cache: WorkerCache, ctx: Context) -> Output:
    """Measure a teacher's accuracy on training images. Raise ChanceError if it is no better than chance."""
    import torch

    scorer, data = cast("Scorer", cache.component(job, "scorer", ctx)), cache.training(job)
    classes, labels = len(data.classes), data.train.labels
    chosen = torch.tensor(evenly_by_class(labels.tolist(), classes, job.settings["images"]))
    logits = scored(scorer, data.train.images[chosen], ctx)["logits"]
    answers = logits[:, scorer.class_fields(data, ctx)["column"]].argmax(dim=1)
    right, images = int((answers == labels[chosen]).sum()), len(chosen)
    share, chance = 100 * right / images, 100 / classes
    told = f"right on {right:,} of {images:,} training images ({share:.1f} %; chance is {chance:.1f} %)"
    if is_chance(right, images, classes):
        raise ChanceError(
            f"{scorer.label()} is no better than chance: {told}",
            hint="check the order of its classes, its normalisation and its input size",
        )
    return Output(content={"images": images, "right": right}, info={"notes": [told]})


@runs("generate")
def generate(job: Job, cache: WorkerCache, ctx: Context) -> Output:
    """Make one block of samples for a few classes. Raise LeakError if one of them is a validation image."""
    import torch

    inputs, generator = cache.inputs(job), cast("Generator", cache.component(job, "generator", ctx))
    assert inputs.dataset is not None
    if generator.needs_teacher is not None:
        generator.teacher = teacher(job, cache, ctx)
    first, last = job.settings["classes"]
    kept, parts = KeptParts(ctx), []
    # With the file of this stage, a generator could resume a class from the parts of another.
    alone = replace(ctx, checkpoint_file=None)

    def sample(class_index: int) -> KeptPart:
        with drawing(generator, alone) as own:
            samples = generator.sample_block(class_index, job.settings["block"], own)
        check_samples(generator, samples)
        return to_part(samples)

    for class_index in range(first, last):
        parts.append(from_part(kept.get(str(class_index), partial(sample, class_index))))
        ctx.progress(class_index - first + 1, last - first)
    cache.bare(job, "generator")  # raises an error if its files were replaced meanwhile
    samples = Samples.concatenate(parts)
    check_ids(generator, samples)
    _check_leak(samples, set(inputs.dataset.content()["validation_images"]), job)
    counts = torch.tensor([len(part) for part in parts])
    labels = torch.repeat_interleave(torch.arange(first, last), counts)
    optional = {"latents": samples.latents, "soft_logits": samples.soft_logits}
    tensors = {"images": samples.images, "labels": labels}
    tensors |= {name: values for name, values in optional.items() if values is not None}
    check_finite(generator, tensors)
    return Output(tensors, content={"ids": list(samples.ids)}, info={"notes": _notes(samples)})


def _notes(samples: Samples) -> list[str]:
    """Return the generator's remarks, the number of images of one colour, and the share of pixels outside [0, 1]."""
    plain, outside = _one_colour(samples.images), outside_unit(samples.images)
    own = [f"{plain} of {counted(len(samples), 'image')} {'has' if plain == 1 else 'have'} one colour"] if plain else []
    if outside:
        own.append(f"{100 * outside:.1f} % of the values of float images lie outside [0, 1]")
    return [*dict.fromkeys(samples.notes), *own]


def _one_colour(images: Tensor) -> int:
    """Return the number of images whose pixels are all equal, as those of a broken model often are."""
    flat = images.flatten(2)
    return int((flat == flat[:, :, :1]).all(dim=2).all(dim=1).sum())


def _check_leak(samples: Samples, validation: set[str], job: Job) -> None:
    for sample_id, digest in zip(samples.ids, image_digests(nearest_bytes(samples.images)), strict=True):
        if digest in validation:
            raise LeakError(
                f"image '{sample_id}' of generator '{job.uses['generator']['name']}' is a validation image of "
                f"data set '{job.uses['dataset']['name']}'",
                hint="remove it from the pool: a student must not be trained on validation images",
            )


@runs("score")
def score(job: Job, cache: WorkerCache, ctx: Context) -> Output:
    """Score one shard, or the real images of a few classes: training images, or for assessments validation images."""
    scorer = cast("Scorer", cache.component(job, "scorer", ctx))
    data, content, shard = cache.training(job), {}, cache.inputs(job).shard
    split = cache.validation(job) if "split" in job.settings else data.train
    if shard is not None:
        fields = scored(scorer, shard.tensor("images"), ctx)
    else:
        first, last = job.settings["classes"]
        chosen = ((split.labels >= first) & (split.labels < last)).nonzero()[:, 0]
        fields = {**scored(scorer, split.images[chosen], ctx), REAL_LABELS: split.labels[chosen]}
        content = {"ids": [split.ids[i] for i in chosen.tolist()]}
    per_class = scorer.class_fields(data, ctx)
    check_finite(scorer, per_class)
    return Output({**fields, **{f"class.{name}": values for name, values in per_class.items()}}, content)


@runs("label")
def label(job: Job, cache: WorkerCache, ctx: Context) -> Output:
    """Compute a teacher's logits for a distilled set, with one column for each class of the data set.

    Stored logits are gathered from the pool, in the order of the selection.
    """
    inputs = cache.inputs(job)
    if inputs.selection is not None:
        logits = gathered(inputs, ["soft_logits"])["soft_logits"]
        note = check_stored_labels(logits, inputs.selection.tensor("labels").tolist())
        return Output({"logits": logits}, info={"notes": [note]})
    scorer, distilled = cast("Scorer", cache.component(job, "scorer", ctx)), inputs.distilled
    assert distilled is not None
    logits = scored(scorer, distilled.tensor("images"), ctx)["logits"]
    return Output({"logits": logits[:, scorer.class_fields(cache.training(job), ctx)["column"]]})


@runs("select")
def select(job: Job, cache: WorkerCache, ctx: Context) -> Output:
    """Choose images from the cell's prefix of the pool."""
    import torch

    selector = cast("Selector", cache.bare(job, "selector"))
    pool, shards = build_pool(cache.inputs(job), job.settings.get("pool"))
    with drawing(selector, ctx) as own:
        selection = selector.select(pool, images_per_class(job, len(pool), len(pool.class_names)), own)
    content = {
        "shards": [shards[i] for i in selection.indices],
        "ids": [pool.sample_ids[i] for i in selection.indices],
    }
    if not all(isfinite(value) for own in selection.scores or () for value in own):
        raise ComponentError(f"{selector.label()} returned NaN or infinite scores")
    info = {"scores": selection.scores, "info": dict(selection.info), "pool_size": len(pool)}
    return Output({"labels": torch.stack([pool.labels[i] for i in selection.indices])}, content, info)


@runs("distill")
def distill(job: Job, cache: WorkerCache, ctx: Context) -> Output:
    """Gather the chosen images into a distilled set, in the order of the selection. Its labels are hard."""
    inputs = cache.inputs(job)
    assert inputs.selection is not None
    tensors = {"labels": inputs.selection.tensor("labels"), **gathered(inputs, ["images", "latents"])}
    return Output(tensors, content={"ids": inputs.selection.content()["ids"]})


def images_per_class(job: Job, images: int, classes: int) -> int:
    """Return the IPC of a job's set; for a set of all images their mean number per class, rounded down."""
    return int(job.settings.get("ipc", images // classes))


def distilled_set(job: Job, inputs: Inputs[Artifact]) -> DistilledSet:
    """Return the distilled set among the inputs of a job, with soft labels if the job has them."""
    artifact = inputs.distilled
    assert artifact is not None
    assert inputs.dataset is not None
    latents = artifact.tensor("latents") if "latents" in artifact.tensor_names else None
    ids = tuple(artifact.content()["ids"])
    soft = None
    if inputs.soft is not None:
        soft = SoftLabels(inputs.soft.tensor("logits"), job.settings["tau"])
    images, labels = artifact.tensor("images"), artifact.tensor("labels")
    ipc = images_per_class(job, len(ids), len(inputs.dataset.content()["classes"]))
    return DistilledSet(images, labels, ids, latents, soft, ipc=ipc)


def teacher(job: Job, cache: WorkerCache, ctx: Context) -> Scorer | None:
    """Return the loaded teacher of a job; None if it has none."""
    return cast("Scorer", cache.component(job, "teacher", ctx)) if "teacher" in job.uses else None


@runs("refine")
def refine(job: Job, cache: WorkerCache, ctx: Context) -> Output:
    """Refine a distilled set. Raise ComponentError if the refiner changes the samples, their order or labels."""
    refiner = cast("Refiner", cache.bare(job, "refiner"))
    generator = cast("Generator", cache.component(job, "generator", ctx))
    before, notes = distilled_set(job, cache.inputs(job)), []
    if (latents := job.settings.get("latents")) is not None:
        before, note = with_latents(before, generator, latents, ctx.device)
        notes.append(note)
    prior, live = generator.prior, teacher(job, cache, ctx)
    with drawing(refiner, ctx) as own:
        after = refiner.refine(before, prior, live, own)
    if after.sample_ids != before.sample_ids or not after.labels.equal(before.labels):
        raise ComponentError(f"{refiner.label()} changed the samples of the set, their order or their labels")
    check_refined(refiner, after)
    tensors = {"images": after.images, "labels": after.labels}
    if after.latents is not None:
        tensors["latents"] = after.latents
    check_finite(refiner, tensors)
    return Output(tensors, content={"ids": list(after.sample_ids)}, info={"notes": notes})
