"""Conformance checks of data sets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ddbench.api import Dataset, LabeledImages, image_digests
from ddbench.testing.require import require


def check_dataset(cls: type[Dataset], make: Callable[[], Dataset], scratch: Path) -> None:
    """Check that both splits are complete, share no image, and are the same at each read."""
    import torch

    data = make()
    require(data.missing() is None, cls, f"is missing: {data.missing()}")
    _check_classes(cls, data)
    seen: dict[str, set[str]] = {}
    for name in ("train", "validation"):
        split: LabeledImages = getattr(data, name)()
        again: LabeledImages = getattr(make(), name)()
        _check_split(cls, data, name, split)
        same = split.images.equal(again.images) and split.labels.equal(again.labels) and split.ids == again.ids
        require(same, cls, f"reads a different {name} split the second time")
        seen[name] = set(image_digests(split.images))
    shared = len(seen["train"] & seen["validation"])
    require(not shared, cls, f"has {shared} validation images among its training images")
    train = data.training().train
    counts = tuple(torch.bincount(train.labels, minlength=len(data.classes)).tolist())
    require(data.train_counts in (None, counts), cls, f"declares train_counts {data.train_counts} but has {counts}")


def _check_classes(cls: type[Dataset], data: Dataset) -> None:
    for what in ("name", "wnid", "imagenet_index"):
        values = [getattr(c, what) for c in data.classes if getattr(c, what) is not None]
        require(what == "name" or len(set(values)) == len(values), cls, f"has two classes with one {what}")
    require(len(data.classes) >= 2, cls, f"has {len(data.classes)} classes")
    require(len(data.mean) == len(data.std) == 3, cls, "needs mean and std of three channels")
    require(all(s > 0 for s in data.std), cls, "has a standard deviation that is not positive")


def _check_split(cls: type[Dataset], data: Dataset, name: str, split: LabeledImages) -> None:
    import torch

    count, size = len(split), data.image_size
    require(split.images.dtype == torch.uint8, cls, f"has {name} images of {split.images.dtype}, not uint8")
    shape = tuple(split.images.shape)
    require(shape == (count, 3, size, size), cls, f"has {name} images of shape {shape} for {count} ids of {size} px")
    require(split.labels.dtype == torch.int64, cls, f"has {name} labels of {split.labels.dtype}, not int64")
    present = sorted(set(split.labels.tolist()))
    require(present == list(range(len(data.classes))), cls, f"has the labels {present} in {name}")
    require(len(split.labels) == count, cls, f"has {len(split.labels)} {name} labels for {count} ids")
    require(len(set(split.ids)) == count, cls, f"has two {name} images with one id")
