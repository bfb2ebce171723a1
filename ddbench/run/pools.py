"""From stored shards and scores to the pool that a selector sees."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ddbench.api import Pool
from ddbench.run.job import Job
from ddbench.run.worker_cache import WorkerCache

if TYPE_CHECKING:
    from torch import Tensor

    Gather = Callable[[str, Iterable[str]], Tensor]

# Beside the fields in the output of a scorer that was asked about real images.
REAL_LABELS = "real.labels"


def build_pool(job: Job, cache: WorkerCache) -> tuple[Pool, list[str]]:
    """The pool prefix of a selection, and for each sample the shard it lies in."""
    import torch

    classes = [name for name, _, _ in cache.artifact(job, "dataset").content()["classes"]]
    roles = _roles(job, "samples")
    labels = torch.cat([cache.artifact(job, role).tensor("labels") for role in roles])
    ids = [i for role in roles for i in cache.artifact(job, role).content()["ids"]]
    shards = [role for role in roles for _ in cache.artifact(job, role).content()["ids"]]
    keep = _prefix(labels.tolist(), len(classes), job.settings["pool"])
    index = torch.tensor(keep)

    def gather(name: str, sources: Iterable[str]) -> Tensor:
        return torch.cat([cache.artifact(job, source).tensor(name) for source in sources])[index]

    has_latents = all("latents" in cache.artifact(job, role).tensor_names for role in roles)
    fields, class_fields = _fields(job, cache, "scores", gather)
    pool = Pool(
        labels=labels[index],
        class_names=tuple(classes),
        sample_ids=tuple(ids[i] for i in keep),
        fields=fields,
        class_fields=class_fields,
        latents=gather("latents", roles) if has_latents else None,
        real=_real(job, cache, tuple(classes)),
        image_source=lambda: gather("images", roles),
    )
    return pool, [shards[i] for i in keep]


def _roles(job: Job, prefix: str) -> list[str]:
    """The job's inputs under ``prefix/``, classes and blocks in their numeric order."""
    roles = [role for role in job.inputs if role.startswith(f"{prefix}/")]
    return sorted(roles, key=lambda role: tuple(int(part) for part in role.split("/")[-2:]))


def _prefix(labels: list[int], classes: int, count: int | None) -> list[int]:
    """Positions of the first ``count`` samples of each class, class after class; None is all of them."""
    positions: list[list[int]] = [[] for _ in range(classes)]
    for position, label in enumerate(labels):
        positions[label].append(position)
    return [i for own in positions for i in own[:count]]


def _scorers(job: Job, prefix: str) -> dict[str, list[str]]:
    """The roles of the scorers whose outputs are inputs under ``prefix/``, and those inputs."""
    return {name: _roles(job, f"{prefix}/{name}") for name in sorted({i.split("/")[1] for i in _roles(job, prefix)})}


def _fields(job: Job, cache: WorkerCache, prefix: str, gather: Gather) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The fields and the class fields of every scorer whose outputs are inputs under ``prefix/``."""
    fields: dict[str, Tensor] = {}
    class_fields: dict[str, Tensor] = {}
    for role, sources in _scorers(job, prefix).items():
        first = cache.artifact(job, sources[0])
        for name in first.tensor_names:
            if name.startswith("class."):
                class_fields[f"{role}.{name.removeprefix('class.')}"] = first.tensor(name)
            elif name != REAL_LABELS:
                fields[f"{role}.{name}"] = gather(name, sources)
    return fields, class_fields


def _real(job: Job, cache: WorkerCache, classes: tuple[str, ...]) -> Pool | None:
    """The real training images, without the images, with the fields that the selection takes of them, if any."""
    import torch

    sources = next(iter(_scorers(job, "real").values()), None)
    if sources is None:
        return None

    def gather(name: str, sources: Iterable[str]) -> Tensor:
        return torch.cat([cache.artifact(job, source).tensor(name) for source in sources])

    fields, class_fields = _fields(job, cache, "real", gather)
    return Pool(
        labels=gather(REAL_LABELS, sources),
        class_names=classes,
        sample_ids=tuple(i for source in sources for i in cache.artifact(job, source).content()["ids"]),
        fields=fields,
        class_fields=class_fields,
    )
