"""Assess the images of a distilled set: their coverage, their diversity, and the real images nearest to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, Final, cast

from ddbench.api import Context, LabeledImages, Scorer, sha256_json
from ddbench.api.pixels import unit_floats
from ddbench.plan.inputs import Shards
from ddbench.record import Assessment, NearImage, NearImages
from ddbench.run.job import Job
from ddbench.run.kept import scored
from ddbench.run.pools import REAL_LABELS
from ddbench.run.worker_cache import WorkerCache
from ddbench.stats.chance import evenly_by_class
from ddbench.stats.embeddings import NEAR, SIDE, coverage, nearest, neighbours_for, radii, vendi
from ddbench.store import Artifact, Output
from ddbench.toolkit.kept_parts import KeptPart, KeptParts

if TYPE_CHECKING:
    from torch import Tensor

# Images that are made small at once.
_TOGETHER: Final = 1024
# Number of training images that are compared with the validation images, at most.
_CHECKED: Final = 1000
# Number of near-duplicates of a set that a report can list.
_SHOWN: Final = 20


@dataclass(frozen=True, eq=False)
class Match:
    """The nearest real image of each image.

    Attributes:
        ids: its id.
        nearness: see :class:`ddbench.stats.embeddings.Nearest`.
    """

    ids: list[str]
    nearness: Tensor


def neighbours(job: Job, cache: WorkerCache, ctx: Context) -> Output:
    """Measure the radius of each training image, and count near-duplicates of validation images among them.

    The output has the tensor ``radius [N]``, in the order of the scores.
    """
    import torch

    inputs, data = cache.inputs(job), cache.training(job)
    real, validation = only(inputs.real), only(inputs.validation)
    kept, parts = KeptParts(ctx), []
    for number, shard in enumerate(real):
        make = partial(_radii_by_class, shard.output, job.settings["ipc"])
        parts.append(kept.get(f"radius-{number}", make).tensors["radius"])
        ctx.progress(number + 1, len(real))
    chosen = evenly_by_class(data.train.labels.tolist(), len(data.classes), _CHECKED)
    points = _points_of([data.train.ids[i] for i in chosen], real)
    found = lowest(compare(points, data.train.images[chosen], cache.validation(job), validation))
    content = {"checked": len(chosen), "near": int((found.nearness < NEAR).sum())}
    return Output({"radius": torch.cat(parts)}, content)


def _radii_by_class(shard: Artifact, ipc: int) -> KeptPart:
    """Return the radii of a shard's images in their classes. They are infinite in a class of one image."""
    import torch

    points, labels = shard.tensor("embedding"), shard.tensor(REAL_LABELS)
    radius = torch.full((len(labels),), torch.inf, dtype=torch.float64)
    for label in set(labels.tolist()):
        rows = labels == label
        if (count := int(rows.sum())) > 1:
            radius[rows] = radii(points[rows], neighbours_for(count, ipc))
    return KeptPart({"radius": radius})


def assess(job: Job, cache: WorkerCache, ctx: Context) -> Output:
    """Assess a distilled set. The output has its nearest real images, and a summary for reports."""
    inputs = cache.inputs(job)
    assert inputs.distilled is not None
    assert inputs.neighbours is not None
    real, reference = only(inputs.real), inputs.neighbours.content()
    images, labels = inputs.distilled.tensor("images"), inputs.distilled.tensor("labels")
    ids = inputs.distilled.content()["ids"]
    points = scored(cast("Scorer", cache.component(job, "scorer", ctx)), images, ctx)["embedding"]
    compared = {
        "validation": compare(points, images, cache.validation(job), only(inputs.validation)),
        "training": compare(points, images, cache.training(job).train, real),
    }
    made = Assessment(
        distilled=str(job.input_digests.distilled),
        scorer=sha256_json([job.recipe["uses"]["scorer"], job.recipe["inputs"].get("fitted"), job.settings]),
        images=len(ids),
        image_bytes=images.numel() * images.element_size(),
        coverage=_coverage(real, inputs.neighbours.tensor("radius"), points, labels),
        diversity=fmean(vendi(points[labels == label]) for label in sorted(set(labels.tolist()))),
        validation=_summary(ids, lowest(compared["validation"])),
        training=_summary(ids, lowest(compared["training"])),
        checked=reference["checked"],
        expected=reference["near"],
    )
    spaces = [(f"{split}.{space}", found) for split, of in compared.items() for space, found in of.items()]
    content = {"ids": ids, **{name: found.ids for name, found in spaces}}
    info = {"assessment": made.model_dump(mode="json"), "notes": [made.told]}
    return Output({name: found.nearness for name, found in spaces}, content, info)


def _coverage(real: Shards[Artifact], radius: Tensor, points: Tensor, labels: Tensor) -> float | None:
    """Return the mean coverage of the classes in percent, or None if each has less than two training images."""
    import torch

    sizes = [len(shard.output.tensor(REAL_LABELS)) for shard in real]
    shares, own = [], torch.split(radius, sizes)
    for shard, of_shard in zip(real, own, strict=True):
        theirs, all_points = shard.output.tensor(REAL_LABELS), shard.output.tensor("embedding")
        for label in sorted(set(theirs.tolist())):
            rows = theirs == label
            if torch.isfinite(of_shard[rows]).all():
                shares.append(coverage(all_points[rows], of_shard[rows], points[labels == label]))
    return 100 * fmean(shares) if shares else None


def compare(points: Tensor, images: Tensor, split: LabeledImages, scores: Shards[Artifact]) -> dict[str, Match]:
    """Return the nearest images of a split by their embeddings, and by their pixels.

    By pixels, an image or its mirror image counts, whichever is nearer.

    Args:
        points: embeddings of the images, ``[M, D]``.
        images: the images, ``[M, 3, H, W]``.
        split: the images to compare with.
        scores: their scores.
    """
    import torch

    by_points = nearest(points, (shard.output.tensor("embedding") for shard in scores))
    ids = [own for shard in scores for own in shard.output.content()["ids"]]
    small = _small(torch.cat([images, images.flip(-1)]))
    by_pixels = nearest(small, map(_small, torch.split(split.images, _TOGETHER)))
    nearness, mirrored = by_pixels.nearness.view(2, -1).min(dim=0)
    index = by_pixels.index.view(2, -1)[mirrored, torch.arange(len(images))]
    return {
        "embedding": Match([ids[i] for i in by_points.index.tolist()], by_points.nearness),
        "pixels": Match([split.ids[i] for i in index.tolist()], nearness),
    }


def lowest(compared: Mapping[str, Match]) -> Match:
    """Return, for each image, the match in the space where it is nearer."""
    import torch

    one, other = compared.values()
    first = (one.nearness <= other.nearness).tolist()
    ids = [a if chosen else b for a, b, chosen in zip(one.ids, other.ids, first, strict=True)]
    return Match(ids, torch.minimum(one.nearness, other.nearness))


def only(by_role: Mapping[str, Shards[Artifact]]) -> Shards[Artifact]:
    """Return the scores of the only role."""
    (shards,) = by_role.values()
    return shards


def _points_of(ids: Sequence[str], scores: Shards[Artifact]) -> Tensor:
    """Return the embeddings of some images."""
    import torch

    found: dict[str, Tensor] = {}
    for shard in scores:
        own = {one: i for i, one in enumerate(shard.output.content()["ids"])}
        points = shard.output.tensor("embedding")
        found |= {one: points[own[one]].clone() for one in ids if one in own}
    return torch.stack([found[one] for one in ids])


def _small(images: Tensor) -> Tensor:
    """Return the pixels of images at 16 × 16, as means of areas, ``[N, 768]`` in [0, 1]."""
    import torch
    from torch.nn.functional import interpolate

    parts = (unit_floats(part).clamp(0, 1) for part in torch.split(images, _TOGETHER))
    return torch.cat([interpolate(part, (SIDE, SIDE), mode="area").flatten(1) for part in parts])


def _summary(ids: Sequence[str], found: Match) -> NearImages:
    """Return the number of near-duplicates, and the nearest of them."""
    order = found.nearness.argsort(stable=True).tolist()
    near = [i for i in order if found.nearness[i] < NEAR]
    shown = [NearImage(image=ids[i], nearest=found.ids[i], nearness=float(found.nearness[i])) for i in near[:_SHOWN]]
    return NearImages(count=len(near), closest=float(found.nearness.min()), shown=shown)
