"""Conformance checks of generators."""

from __future__ import annotations

from ddbench.api import Context, EncodingPrior, Generator, Samples
from ddbench.api.pixels import nearest_bytes, unit_floats, wrong_pixels
from ddbench.api.work import Sample
from ddbench.testing.checks import Case, check, untouched
from ddbench.testing.costs import compare_cost
from ddbench.testing.fitting import fit
from ddbench.testing.specimens import Specimen, SpecimenTeacher
from ddbench.toolkit.draws import context_of
from ddbench.toolkit.files import file_sha256

_FITS = ("parameters", "data set", "fit")
_RUNS = (*_FITS, "images")
_REPEATS = (*_RUNS, "repeats")


def _loaded(case: Case[Generator]) -> Generator:
    data = Specimen().training()
    fitted = case.once("fitted", lambda: fit(case, data, case.scratch))
    generator = case.make()
    generator.load(fitted, data, Context())
    generator.teacher = SpecimenTeacher() if generator.needs_teacher else None
    return generator


def _shared(case: Case[Generator]) -> Samples:
    return case.once("samples", lambda: _loaded(case).sample_block(0, 0, Context()))


@check(
    "generator", "data set", fix="give parameters in `example` with which it makes any data set", after=("parameters",)
)
def _dataset(case: Case[Generator]) -> None:
    """Check that the generator accepts the data set of the checks."""
    case.make().check(Specimen())


@check("generator", "fit", fix="draw from the context only, and write safetensors and JSON files", after=_FITS[:2])
def _fit(case: Case[Generator]) -> None:
    """Check that the fit writes the same each time, and can be loaded."""
    _loaded(case)


@check("generator", "fits_by_seed", fix="remove `fits_by_seed`, or draw from `ctx.rng` in `fit`", after=_FITS)
def _fits(case: Case[Generator]) -> None:
    """Check that a generator that declares `fits_by_seed` fits otherwise for another seed."""
    if not case.cls.fits_by_seed:
        case.skip("has one fit for all seeds, or none")
    other = fit(case, Specimen().training(), case.scratch / "other-seed", seed=1)
    case.require(other is not None, "declares fits_by_seed = True, but has no fit")
    digests = [
        [file_sha256(path) for path in sorted(folder.glob("fitted/*.safetensors"))]
        for folder in (case.scratch, case.scratch / "other-seed")
    ]
    case.require(digests[0] != digests[1], "declares fits_by_seed = True, but its fit is the same for each seed")


@check("generator", "images", fix="return Samples of square images, uint8 or float in [0, 1], on the CPU", after=_FITS)
def _images(case: Case[Generator]) -> None:
    """Check that images are square, uint8 or float in [0, 1], on the CPU, with one id each and any latents."""
    samples = _shared(case)
    case.require_type(samples, Samples, "sample_block")
    shape = tuple(samples.images.shape)
    problem = wrong_pixels(samples.images)
    case.require(problem is None, str(problem))
    whole = len(shape) == 4 and shape[:2] == (len(samples), 3) and shape[2] == shape[3]
    case.require(whole, f"makes images of shape {shape} for {len(samples)} ids")
    latents = samples.latents
    case.require(latents is None or len(latents) == len(samples), "does not have one latent for each sample")
    on_cpu = samples.images.device.type == "cpu" and (latents is None or latents.device.type == "cpu")
    case.require(on_cpu, "returns tensors that are not on the CPU")


@check("generator", "ids", fix="make ids of class and number: `f'{class_index}/{i}'`", after=_RUNS)
def _ids(case: Case[Generator]) -> None:
    """Check that no two samples have the same id."""
    samples, others = _shared(case), _loaded(case).sample_block(1, 0, Context())
    case.require(len(set(samples.ids)) == len(samples), "gives two samples of a class the same id")
    case.require(set(samples.ids).isdisjoint(others.ids), "gives samples of two classes the same id")


@check(
    "generator", "declared parts", fix="set `has_latents` and `has_soft_labels` to what the samples have", after=_RUNS
)
def _parts(case: Case[Generator]) -> None:
    """Check that samples have latents and soft labels exactly if they are declared."""
    samples, latents, soft = _shared(case), case.cls.has_latents, _loaded(case).has_soft_labels
    case.require(latents == (samples.latents is not None), f"declares has_latents = {latents}, wrongly")
    case.require(soft == (samples.soft_logits is not None), f"declares has_soft_labels = {soft}, wrongly")


@check("generator", "global random state", fix="draw from `ctx.rng` or `ctx.torch_rng`", after=_RUNS)
def _global(case: Case[Generator]) -> None:
    """Check that the global random generators of Python, NumPy and torch are not used."""
    generator = _loaded(case)
    with untouched(generator):
        generator.sample_block(0, 0, Context())


@check("generator", "repeats", fix="keep no state between calls", after=(*_RUNS, "global random state"))
def _repeats(case: Case[Generator]) -> None:
    """Check that the same class, block and seed give the same samples."""
    blocks = [_loaded(case).sample_block(0, 0, Context(seed=1)) for _ in range(2)]
    case.require(_same(*blocks), "makes different samples from the same seed")


@check(
    "generator", "seeded", fix="declare `seeded = True` exactly if the samples depend on `ctx`'s seed", after=_REPEATS
)
def _seeded(case: Case[Generator]) -> None:
    """Check that `seeded` says whether the samples depend on the seed."""
    generator = _loaded(case)
    generator.sample_block(0, 0, context_of(generator, Context()))
    blocks = [_loaded(case).sample_block(0, 0, Context(seed=seed)) for seed in (1, 2)]
    differs = not blocks[0].images.equal(blocks[1].images)
    case.require(differs == generator.seeded, f"declares seeded = {generator.seeded}, wrongly")


@check("generator", "available", fix="return the number of samples of each class from `available`", after=_RUNS)
def _available(case: Case[Generator]) -> None:
    """Check that a finite generator has as many samples as it declares, and any other fills its blocks."""
    generator = _loaded(case)
    if not case.cls.finite:
        made = len(_shared(case))
        case.require(made == generator.block, f"makes {made} samples in a block of {generator.block}")
        return
    declared = generator.available(Specimen())
    counts = tuple(len(_loaded(case).sample_block(c, 0, Context())) for c in range(len(Specimen().classes)))
    case.require(declared in (None, counts), f"declares {declared} available samples but has {counts}")


@check(
    "generator",
    "prefix",
    fix="draw each sample by its class and number: `ctx.rng(class_index, i)`",
    after=(*_REPEATS, "available"),
)
def _prefix(case: Case[Generator]) -> None:
    """Check that a sample depends on its class and number, not on the number or the order of requests."""
    if case.cls.finite:
        case.skip("has a limited number of samples")
    one, block = _loaded(case), _loaded(case).block
    many = one.sample(0, 0, 2 * block + 1, Context())
    one.sample(1, 0, 1, Context())
    for start, count in ((0, 1), (0, block + 1), (block, block), (1, block)):
        for generator in (one, _loaded(case)):
            few = generator.sample(0, start, count, Context())
            same = _same(few, many[start : start + count])
            problem = f"makes different samples {start} … {start + count} in a smaller pool or after other samples"
            case.require(same, problem)


def _same(a: Samples, b: Samples) -> bool:
    if a.latents is not None and b.latents is not None and not a.latents.equal(b.latents):
        return False
    return a.ids == b.ids and a.images.equal(b.images)


@check("generator", "prior", fix="make `prior` agree with the samples' images and latents", after=_RUNS)
def _prior(case: Case[Generator]) -> None:
    """Check that the prior decodes latents to the images, and its loss is finite and has gradients."""
    import torch

    samples, prior = _shared(case), _loaded(case).prior
    latents = samples.latents
    if prior is None or latents is None:
        case.skip("has no prior or no latents")
    decoded = prior.decode(latents)
    inside = decoded.min().item() >= 0 and decoded.max().item() <= 1
    case.require(decoded.is_floating_point() and inside, "has a prior that decodes to values outside [0, 1]")
    error = (decoded * 255 - nearest_bytes(samples.images).float()).abs().max().item()
    case.require(error <= 1, f"has images that differ from their decoded latents by {error:.1f} grey levels")
    start = latents.clone().requires_grad_()
    t, noise = torch.full((len(samples),), 10), torch.randn_like(latents)
    loss = prior.loss(start, t, noise, torch.zeros(len(samples), dtype=torch.long))
    case.require(tuple(loss.shape) == (len(samples),), f"has a prior with a loss of shape {tuple(loss.shape)}")
    case.require(bool(torch.isfinite(loss).all()), "has a prior with a loss that is not finite")
    torch.autograd.backward(loss.sum())
    case.require(start.grad is not None, "has a prior whose loss does not reach the latents")
    if isinstance(prior, EncodingPrior):
        encoded = prior.encode(unit_floats(samples.images))
        fits = encoded.shape == latents.shape and encoded.shape[1:] == prior.latent_shape
        case.require(fits, f"has a prior that encodes to shape {tuple(encoded.shape)}")


@check("generator", "cost", fix="mend `cost`, or return None from it", after=_RUNS)
def _cost(case: Case[Generator]) -> None:
    """Check that the declared operations of one sample are within a factor of 3 of what is counted."""
    generator = _loaded(case)
    declared = generator.cost(Sample(Specimen(), generator.teacher))
    compare_cost(case, declared, lambda: generator.sample_block(0, 0, Context()), len(_shared(case)))
