"""What a refiner must do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ddbench.api import Context, DistilledSet, Refiner, SoftLabels
from ddbench.testing.require import require
from ddbench.testing.specimens import Specimen, SpecimenPrior, SpecimenTeacher


def check_refiner(cls: type[Refiner], make: Callable[[], Refiner], scratch: Path) -> None:
    """The same samples in the same order, as images of the same form; what it was given stays as it was."""
    before, kept = _distilled(cls), _distilled(cls)
    teacher = SpecimenTeacher() if cls.needs_soft else None
    after = make().refine(before, SpecimenPrior(), teacher, Context())
    again = make().refine(_distilled(cls), SpecimenPrior(), teacher, Context())
    require(after.sample_ids == kept.sample_ids, cls, "changes sample ids")
    require(after.labels.equal(kept.labels), cls, "changes labels")
    form = (after.images.dtype, after.images.shape) == (kept.images.dtype, kept.images.shape)
    require(form, cls, f"makes images of {after.images.dtype} {tuple(after.images.shape)}")
    require(before.images.equal(kept.images), cls, "changes the images that it was given in place")
    require(after.images.equal(again.images), cls, "makes other images the second time")
    require(not cls.identity or after.images.equal(kept.images), cls, "declares identity = True and changes images")


def _distilled(cls: type[Refiner]) -> DistilledSet:
    """What a run would give it: latents and soft labels only where it says that it needs them."""
    train = Specimen().train()
    latents = train.images.float() / 255
    soft = SoftLabels(SpecimenTeacher().class_logits(latents), 1.5) if cls.needs_soft else None
    kept = latents if cls.needs_latents else None
    return DistilledSet(train.images, train.labels, train.ids, kept, soft, ipc=len(train) // 3)
