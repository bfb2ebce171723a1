"""Conformance checks of refiners."""

from __future__ import annotations

from ddbench.api import Context, DistilledSet, Refiner, SoftLabels
from ddbench.api.pixels import unit_floats, wrong_pixels
from ddbench.testing.checks import Case, check, untouched
from ddbench.testing.specimens import Specimen, SpecimenPrior, SpecimenTeacher
from ddbench.toolkit.draws import context_of

_RUNS = ("parameters", "same samples")


def _refined(case: Case[Refiner], before: DistilledSet, ctx: Context | None = None) -> DistilledSet:
    teacher = SpecimenTeacher() if case.cls.needs_soft else None
    return case.make().refine(before, SpecimenPrior(), teacher, ctx or Context())


def _shared(case: Case[Refiner]) -> DistilledSet:
    return case.once("refined", lambda: _refined(case, _distilled(case)))


@check(
    "refiner", "same samples", fix="return one image for each given image, in the given order", after=("parameters",)
)
def _samples(case: Case[Refiner]) -> None:
    """Check that ids, labels, number and form of the images are kept."""
    after, kept = _shared(case), _distilled(case)
    case.require_type(after, DistilledSet, "refine")
    case.require(after.sample_ids == kept.sample_ids, "changes sample ids")
    case.require(after.labels.equal(kept.labels), "changes labels")
    form = (after.images.dtype, after.images.shape) == (kept.images.dtype, kept.images.shape)
    case.require(form, f"makes images of {after.images.dtype} {tuple(after.images.shape)}")


@check("refiner", "input unchanged", fix="copy the images before you change them: `images.clone()`", after=_RUNS)
def _unchanged(case: Case[Refiner]) -> None:
    """Check that the given images are not changed."""
    before, kept = _distilled(case), _distilled(case)
    _refined(case, before)
    case.require(before.images.equal(kept.images), "changes its input images in place")


@check("refiner", "global random state", fix="draw from `ctx.rng` or `ctx.torch_rng`", after=_RUNS)
def _global(case: Case[Refiner]) -> None:
    """Check that the global random generators of Python, NumPy and torch are not used."""
    with untouched(case.make()):
        _refined(case, _distilled(case))


@check("refiner", "repeats", fix="keep no state between calls", after=(*_RUNS, "global random state"))
def _repeats(case: Case[Refiner]) -> None:
    """Check that the same set and seed give the same images."""
    again = _refined(case, _distilled(case))
    case.require(_shared(case).images.equal(again.images), "makes different images the second time")


@check("refiner", "seeded", fix="declare `seeded = True` if the images depend on the seed", after=(*_RUNS, "repeats"))
def _seeded(case: Case[Refiner]) -> None:
    """Check that a refiner that uses the seed says so with `seeded`."""
    _refined(case, _distilled(case), context_of(case.make(), Context()))
    others = [_refined(case, _distilled(case), Context(seed=seed)).images for seed in range(1, 4)]
    differs = not all(_shared(case).images.equal(images) for images in others)
    case.require(differs <= case.make().seeded, "declares seeded = False, wrongly")


@check("refiner", "identity", fix="remove `identity = True`", after=_RUNS)
def _identity(case: Case[Refiner]) -> None:
    """Check that a refiner that declares `identity` changes nothing."""
    same = not case.cls.identity or _shared(case).images.equal(_distilled(case).images)
    case.require(same, "declares identity = True but changes images")


@check(
    "refiner",
    "float images",
    fix="convert with `unit_floats` and `nearest_bytes` of `ddbench.toolkit`",
    after=(*_RUNS, "repeats"),
)
def _floats(case: Case[Refiner]) -> None:
    """Check that float images come out as the same uint8 images do."""
    after, expected = _refined(case, _distilled(case, floats=True)), _shared(case)
    problem = wrong_pixels(after.images)
    case.require(problem is None, f"makes of float images a set that {problem}")
    error = (unit_floats(after.images) - unit_floats(expected.images)).abs().max().item() * 255
    case.require(error <= 2, f"makes of float images others than of the same bytes: {error:.0f} grey levels away")


def _distilled(case: Case[Refiner], floats: bool = False) -> DistilledSet:
    """Return a refiner's input in a run, with latents and soft labels only if it declares that it needs them."""
    train = Specimen().train()
    latents = unit_floats(train.images)
    soft = SoftLabels(SpecimenTeacher().class_logits(latents), 1.5) if case.cls.needs_soft else None
    kept = latents if case.cls.needs_latents else None
    return DistilledSet(
        latents.clone() if floats else train.images, train.labels, train.ids, kept, soft, ipc=len(train) // 3
    )
