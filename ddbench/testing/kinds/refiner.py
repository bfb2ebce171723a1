"""What a refiner must do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ddbench.api import Context, DistilledSet, Refiner
from ddbench.testing.require import require
from ddbench.testing.specimens import Specimen, SpecimenPrior


def check_refiner(cls: type[Refiner], make: Callable[[], Refiner], scratch: Path) -> None:
    """The same samples in the same order, as images of the same form; what it was given stays as it was."""
    before, kept = _distilled(), _distilled()
    after = make().refine(before, SpecimenPrior(), None, Context())
    again = make().refine(_distilled(), SpecimenPrior(), None, Context())
    require(after.sample_ids == kept.sample_ids, cls, "changes sample ids")
    require(after.labels.equal(kept.labels), cls, "changes labels")
    form = (after.images.dtype, after.images.shape) == (kept.images.dtype, kept.images.shape)
    require(form, cls, f"makes images of {after.images.dtype} {tuple(after.images.shape)}")
    require(before.images.equal(kept.images), cls, "changes the images that it was given in place")
    require(after.images.equal(again.images), cls, "makes other images the second time")
    require(not cls.identity or after.images.equal(kept.images), cls, "declares identity = True and changes images")


def _distilled() -> DistilledSet:
    train = Specimen().train()
    return DistilledSet(train.images, train.labels, train.ids, train.images.float() / 255)
