"""Conformance checks of data sets."""

from __future__ import annotations

from ddbench.api import Dataset, LabeledImages, image_digests
from ddbench.testing.checks import Case, check, untouched

_SPLITS = ("train", "validation")
_READS = ("complete", "classes", "splits")


@check("dataset", "complete", fix="run `ddbench fetch`", after=("parameters",))
def _complete(case: Case[Dataset]) -> None:
    """Check that all files are there."""
    missing = case.make().missing()
    case.require(missing is None, f"is missing: {missing}")


@check("dataset", "classes", fix="mend `classes`, `mean` or `std`", after=("parameters",))
def _classes(case: Case[Dataset]) -> None:
    """Check that it tells two classes or more, and three channels have a mean and a positive deviation."""
    data = case.make()
    for what in ("name", "wnid", "imagenet_index"):
        values = [getattr(c, what) for c in data.classes if getattr(c, what) is not None]
        case.require(what == "name" or len(set(values)) == len(values), f"has two classes with one {what}")
    case.require(len(data.classes) >= 2, f"has {len(data.classes)} classes")
    case.require(len(data.mean) == len(data.std) == 3, "needs mean and std of three channels")
    case.require(all(s > 0 for s in data.std), "has a standard deviation that is not positive")


def _split(case: Case[Dataset], name: str) -> LabeledImages:
    return case.once(name, lambda: getattr(case.make(), name)())  # type: ignore[no-any-return]


@check("dataset", "splits", fix="return LabeledImages of uint8 images and int64 labels", after=("complete", "classes"))
def _splits(case: Case[Dataset]) -> None:
    """Check that both splits have square uint8 images, a label and an id for each, and every class."""
    for name in _SPLITS:
        case.require_type(_split(case, name), LabeledImages, name)
        _check_split(case, name, _split(case, name))


@check("dataset", "repeats", fix="sort the files that are read, and draw nothing", after=_READS)
def _repeats(case: Case[Dataset]) -> None:
    """Check that each split is the same at each read."""
    for name in _SPLITS:
        split, again = _split(case, name), getattr(case.make(), name)()
        same = split.images.equal(again.images) and split.labels.equal(again.labels) and split.ids == again.ids
        case.require(same, f"reads a different {name} split the second time")


@check("dataset", "no shared images", fix="remove them from the training images", after=_READS)
def _disjoint(case: Case[Dataset]) -> None:
    """Check that no validation image is among the training images."""
    seen = [set(image_digests(_split(case, name).images)) for name in _SPLITS]
    shared = len(seen[0] & seen[1])
    case.require(not shared, f"has {shared} validation images among its training images")


@check("dataset", "train_counts", fix="declare the number of training images of each class", after=_READS)
def _counts(case: Case[Dataset]) -> None:
    """Check that the declared numbers of training images are right."""
    import torch

    data = case.make()
    counts = tuple(torch.bincount(data.training().train.labels, minlength=len(data.classes)).tolist())
    case.require(data.train_counts in (None, counts), f"declares train_counts {data.train_counts} but has {counts}")


@check("dataset", "global random state", fix="draw nothing, or from a generator of its own", after=_READS)
def _global(case: Case[Dataset]) -> None:
    """Check that the global random generators of Python, NumPy and torch are not used."""
    with untouched(case.make()):
        case.make().train()


def _check_split(case: Case[Dataset], name: str, split: LabeledImages) -> None:
    import torch

    data = case.make()
    count, size = len(split), data.image_size
    case.require(split.images.dtype == torch.uint8, f"has {name} images of {split.images.dtype}, not uint8")
    shape = tuple(split.images.shape)
    case.require(shape == (count, 3, size, size), f"has {name} images of shape {shape} for {count} ids of {size} px")
    case.require(split.labels.dtype == torch.int64, f"has {name} labels of {split.labels.dtype}, not int64")
    present = sorted(set(split.labels.tolist()))
    case.require(present == list(range(len(data.classes))), f"has the labels {present} in {name}")
    case.require(len(split.labels) == count, f"has {len(split.labels)} {name} labels for {count} ids")
    case.require(len(set(split.ids)) == count, f"has two {name} images with one id")
