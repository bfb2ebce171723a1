"""Conformance checks of generators."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ddbench.api import Context, EncodingPrior, Generator, Prior, Samples, TrainingData
from ddbench.api.pixels import nearest_bytes, unit_floats, wrong_pixels
from ddbench.testing.fitting import fit
from ddbench.testing.require import require
from ddbench.testing.specimens import Specimen, SpecimenTeacher
from ddbench.toolkit.draws import drawing
from ddbench.toolkit.files import file_sha256

if TYPE_CHECKING:
    from torch import Tensor


def check_generator(cls: type[Generator], make: Callable[[], Generator], scratch: Path) -> None:
    """Check that samples depend on seed, class and index only, not on the number or order of requests."""
    data = Specimen().training()
    make().check(Specimen())
    fitted = fit(cls, make, data, scratch)
    if cls.fits_by_seed:
        _check_fits(cls, make, data, scratch)

    def loaded() -> Generator:
        generator = make()
        generator.load(fitted, data, Context())
        generator.teacher = SpecimenTeacher() if generator.needs_teacher else None
        return generator

    generator = loaded()
    with drawing(generator, Context(), strict=True) as own:
        samples = generator.sample_block(0, 0, own)
    _check_samples(cls, samples)
    others = generator.sample_block(1, 0, Context())
    require(set(samples.ids).isdisjoint(others.ids), cls, "gives samples of two classes the same id")
    require(cls.has_latents == (samples.latents is not None), cls, f"declares has_latents = {cls.has_latents}, wrongly")
    soft = loaded().has_soft_labels
    require(soft == (samples.soft_logits is not None), cls, f"declares has_soft_labels = {soft}, wrongly")
    _check_seed(cls, loaded)
    if cls.finite:
        _check_finite(cls, loaded, data)
    else:
        require(len(samples) == loaded().block, cls, f"makes {len(samples)} samples in a block of {loaded().block}")
        _check_prefix(cls, loaded)
    prior = loaded().prior
    if prior is not None and samples.latents is not None:
        _check_prior(cls, prior, samples, samples.latents)


def _check_fits(cls: type[Generator], make: Callable[[], Generator], data: TrainingData, scratch: Path) -> None:
    other = fit(cls, make, data, scratch / "other-seed", seed=1)
    same = [file_sha256(path) for path in sorted(scratch.glob("fitted/*.safetensors"))]
    require(other is not None, cls, "declares fits_by_seed = True, but has no fit")
    assert other is not None
    differs = same != [file_sha256(path) for path in sorted(other.glob("*.safetensors"))]
    require(differs, cls, "declares fits_by_seed = True, but its fit is the same for each seed")


def _check_samples(cls: type[Generator], samples: Samples) -> None:
    shape = tuple(samples.images.shape)
    problem = wrong_pixels(samples.images)
    require(problem is None, cls, str(problem))
    whole = len(shape) == 4 and shape[:2] == (len(samples), 3) and shape[2] == shape[3]
    require(whole, cls, f"makes images of shape {shape} for {len(samples)} ids")
    require(len(set(samples.ids)) == len(samples), cls, "gives two samples of a class the same id")
    latents = samples.latents
    require(latents is None or len(latents) == len(samples), cls, "does not have one latent for each sample")
    on_cpu = samples.images.device.type == "cpu" and (latents is None or latents.device.type == "cpu")
    require(on_cpu, cls, "returns tensors that are not on the CPU")


def _same(a: Samples, b: Samples) -> bool:
    if a.latents is not None and b.latents is not None and not a.latents.equal(b.latents):
        return False
    return a.ids == b.ids and a.images.equal(b.images)


def _check_seed(cls: type[Generator], loaded: Callable[[], Generator]) -> None:
    blocks = [loaded().sample_block(0, 0, Context(seed=seed)) for seed in (1, 1, 2)]
    require(_same(blocks[0], blocks[1]), cls, "makes different samples from the same seed")
    differs = not blocks[0].images.equal(blocks[2].images)
    require(differs == loaded().seeded, cls, f"declares seeded = {loaded().seeded}, wrongly")


def _check_finite(cls: type[Generator], loaded: Callable[[], Generator], data: TrainingData) -> None:
    declared = loaded().available(Specimen())
    counts = tuple(len(loaded().sample_block(c, 0, Context())) for c in range(len(data.classes)))
    require(declared in (None, counts), cls, f"declares {declared} available samples but has {counts}")


def _check_prefix(cls: type[Generator], loaded: Callable[[], Generator]) -> None:
    one, block = loaded(), loaded().block
    many = one.sample(0, 0, 2 * block + 1, Context())
    one.sample(1, 0, 1, Context())
    for start, count in ((0, 1), (0, block + 1), (block, block), (1, block)):
        for generator in (one, loaded()):
            few = generator.sample(0, start, count, Context())
            same = _same(few, many[start : start + count])
            problem = f"makes different samples {start} … {start + count} in a smaller pool or after other samples"
            require(same, cls, problem)


def _check_prior(cls: type[Generator], prior: Prior, samples: Samples, latents: Tensor) -> None:
    import torch

    decoded = prior.decode(latents)
    inside = decoded.min().item() >= 0 and decoded.max().item() <= 1
    require(decoded.is_floating_point() and inside, cls, "has a prior that decodes to values outside [0, 1]")
    error = (decoded * 255 - nearest_bytes(samples.images).float()).abs().max().item()
    require(error <= 1, cls, f"has images that differ from their decoded latents by {error:.1f} grey levels")
    start = latents.clone().requires_grad_()
    t, noise = torch.full((len(samples),), 10), torch.randn_like(latents)
    loss = prior.loss(start, t, noise, torch.zeros(len(samples), dtype=torch.long))
    require(tuple(loss.shape) == (len(samples),), cls, f"has a prior with a loss of shape {tuple(loss.shape)}")
    require(bool(torch.isfinite(loss).all()), cls, "has a prior with a loss that is not finite")
    torch.autograd.backward(loss.sum())
    require(start.grad is not None, cls, "has a prior whose loss does not reach the latents")
    if isinstance(prior, EncodingPrior):
        encoded = prior.encode(unit_floats(samples.images))
        fits = encoded.shape == latents.shape and encoded.shape[1:] == prior.latent_shape
        require(fits, cls, f"has a prior that encodes to shape {tuple(encoded.shape)}")
