"""Conformance checks of refiners."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ddbench.api import Context, DistilledSet, Refiner, SoftLabels
from ddbench.api.pixels import unit_floats, wrong_pixels
from ddbench.testing.require import require
from ddbench.testing.specimens import Specimen, SpecimenPrior, SpecimenTeacher
from ddbench.toolkit.draws import drawing


def check_refiner(cls: type[Refiner], make: Callable[[], Refiner], scratch: Path) -> None:
    """Check that samples and their order are kept, that bytes stay bytes, and that the input is not changed."""
    before, kept = _distilled(cls), _distilled(cls)
    teacher = SpecimenTeacher() if cls.needs_soft else None
    with drawing(make(), Context(), strict=True) as own:
        after = make().refine(before, SpecimenPrior(), teacher, own)
    again = make().refine(_distilled(cls), SpecimenPrior(), teacher, Context())
    require(after.sample_ids == kept.sample_ids, cls, "changes sample ids")
    require(after.labels.equal(kept.labels), cls, "changes labels")
    form = (after.images.dtype, after.images.shape) == (kept.images.dtype, kept.images.shape)
    require(form, cls, f"makes images of {after.images.dtype} {tuple(after.images.shape)}")
    require(before.images.equal(kept.images), cls, "changes its input images in place")
    require(after.images.equal(again.images), cls, "makes different images the second time")
    require(not cls.identity or after.images.equal(kept.images), cls, "declares identity = True but changes images")
    _check_floats(cls, make().refine(_distilled(cls, floats=True), SpecimenPrior(), teacher, Context()), after)


def _check_floats(cls: type[Refiner], after: DistilledSet, expected: DistilledSet) -> None:
    """Check that float images come out as the same uint8 images do."""
    problem = wrong_pixels(after.images)
    require(problem is None, cls, f"makes of float images a set that {problem}")
    error = (unit_floats(after.images) - unit_floats(expected.images)).abs().max().item() * 255
    require(error <= 2, cls, f"makes of float images others than of the same bytes: {error:.0f} grey levels away")


def _distilled(cls: type[Refiner], floats: bool = False) -> DistilledSet:
    """Return a refiner's input in a run, with latents and soft labels only if it declares that it needs them."""
    train = Specimen().train()
    latents = unit_floats(train.images)
    soft = SoftLabels(SpecimenTeacher().class_logits(latents), 1.5) if cls.needs_soft else None
    kept = latents if cls.needs_latents else None
    return DistilledSet(
        latents.clone() if floats else train.images, train.labels, train.ids, kept, soft, ipc=len(train) // 3
    )
