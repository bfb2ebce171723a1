"""Build the pool of a selector from stored shards and scores, and gather what it chose."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from ddbench.api import Pool
from ddbench.api.pixels import check_one_form
from ddbench.errors import ComponentError
from ddbench.plan.inputs import Inputs, Shards
from ddbench.store import Artifact
from ddbench.text import counted

if TYPE_CHECKING:
    from torch import Tensor

Gather: TypeAlias = "Callable[[str, list[Artifact]], Tensor]"

# The labels of real images, stored with the fields that a scorer computed for them.
REAL_LABELS = "real.labels"


def build_pool(inputs: Inputs[Artifact], count: int | None) -> tuple[Pool, list[str]]:
    """Return the pool prefix of a selection, and the name of each sample's shard.

    Args:
        inputs: the opened inputs of the selection.
        count: number of candidates of each class; None takes every sample.

    Raises:
        ComponentError: a class has fewer candidates.
    """
    import torch

    assert inputs.dataset is not None
    classes = tuple(name for name, _, _ in inputs.dataset.content()["classes"])
    by_name = inputs.samples_by_name
    samples, own_ids = list(by_name.values()), [shard.content()["ids"] for shard in by_name.values()]
    labels = torch.cat([shard.tensor("labels") for shard in samples])
    keep = _prefix(labels.tolist(), classes, count)
    index, ids = torch.tensor(keep), [i for own in own_ids for i in own]

    def gather(name: str, shards: list[Artifact]) -> Tensor:
        return _joined(name, shards)[index]

    fields, class_fields = _fields(inputs.scores, gather)
    pool = Pool(
        labels=labels[index],
        class_names=classes,
        sample_ids=tuple(ids[i] for i in keep),
        fields=fields,
        class_fields=class_fields,
        latents=gather("latents", samples) if all("latents" in s.tensor_names for s in samples) else None,
        real=_real(inputs.real, classes),
        image_source=lambda: gather("images", samples),
    )
    names = [name for name, own in zip(by_name, own_ids, strict=True) for _ in own]
    return pool, [names[i] for i in keep]


def gathered(inputs: Inputs[Artifact], names: list[str]) -> dict[str, Tensor]:
    """Return those of the named tensors that all shards of the chosen samples have, in the order of the selection."""
    import torch

    assert inputs.selection is not None
    chosen = inputs.selection.content()
    used = set(chosen["shards"])
    shards = {name: shard for name, shard in inputs.samples_by_name.items() if name in used}
    place = {(name, own): i for name, shard in shards.items() for i, own in enumerate(shard.content()["ids"])}
    tensors = {}
    for tensor_name in names:
        if all(tensor_name in shard.tensor_names for shard in shards.values()):
            values = {name: shard.tensor(tensor_name) for name, shard in shards.items()}
            check_one_form(values.values())
            picked = zip(chosen["shards"], chosen["ids"], strict=True)
            tensors[tensor_name] = torch.stack([values[name][place[name, own]] for name, own in picked])
    return tensors


def _joined(name: str, shards: list[Artifact]) -> Tensor:
    """Concatenate one tensor of several shards."""
    import torch

    tensors = [shard.tensor(name) for shard in shards]
    check_one_form(tensors)
    return torch.cat(tensors)


def _prefix(labels: list[int], classes: Sequence[str], count: int | None) -> list[int]:
    """Return the positions of the first ``count`` samples of each class, one class after another; None takes all.

    Raise ComponentError if a class has fewer.
    """
    positions: list[list[int]] = [[] for _ in classes]
    for position, label in enumerate(labels):
        positions[label].append(position)
    for name, own in zip(classes, positions, strict=True):
        if count is not None and len(own) < count:
            hint = "lower `pool`, or remove it to choose from all images"
            raise ComponentError(
                f"the pool needs {counted(count, 'image')} per class, but class '{name}' has {len(own)}", hint=hint
            )
    return [i for own in positions for i in own[:count]]


def _fields(scores: Mapping[str, Shards[Artifact]], gather: Gather) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the fields and the class fields that the scorers of all roles wrote."""
    fields: dict[str, Tensor] = {}
    class_fields: dict[str, Tensor] = {}
    for role, shards in scores.items():
        outputs = [shard.output for shard in shards]
        for name in outputs[0].tensor_names:
            if name.startswith("class."):
                class_fields[f"{role}.{name.removeprefix('class.')}"] = outputs[0].tensor(name)
            elif name != REAL_LABELS:
                fields[f"{role}.{name}"] = gather(name, outputs)
    return fields, class_fields


def _real(scores: Mapping[str, Shards[Artifact]], classes: tuple[str, ...]) -> Pool | None:
    """Return the pool of real training images, without pixels, with the fields that the selection needs.

    Return None if it needs none.
    """
    if not scores:
        return None
    fields, class_fields = _fields(scores, _joined)
    outputs = [shard.output for shard in next(iter(scores.values()))]
    return Pool(
        labels=_joined(REAL_LABELS, outputs),
        class_names=classes,
        sample_ids=tuple(i for output in outputs for i in output.content()["ids"]),
        fields=fields,
        class_fields=class_fields,
    )
