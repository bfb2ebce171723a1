"""Refinement under soft labels: its terms by hand, its schedule counted, its effect on a trained generator measured."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pytest
import torch
from ddbench_components.refiners._latent_descent import divergence, kl_weights
from ddbench_components.refiners.soft_label_latent import SoftLabelLatent
from scipy.special import softmax
from scipy.stats import entropy
from torch import Tensor

import ddbench
from ddbench import ComponentError, Context, DistilledSet, LabeledImages, Prior, Refiner, Scorer, SoftLabels
from ddbench.testing.specimens import Specimen, SpecimenPrior, SpecimenTeacher

PAPER = SoftLabelLatent.Params()


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


def refiner(**params: Any) -> Refiner:
    return cast("Refiner", ddbench.create("refiner", "soft-label-latent", **params))


# by hand


def test_the_defaults_are_the_papers() -> None:
    assert (PAPER.steps, PAPER.learning_rate, PAPER.weight) == (100, 0.01, 0.5)
    assert (PAPER.w_min, PAPER.w_max, PAPER.kl_steps) == (0.1, 2.0, 4)


def test_doubtful_images_weigh_more() -> None:
    """λ (w_min + (1 − p)(w_max − w_min)): 0.5 · 0.1 for a sure image, 0.5 · 2 for one of another class."""
    soft = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.25, 0.75]])
    weights = kl_weights(soft, torch.tensor([0, 1, 1]), PAPER)
    torch.testing.assert_close(weights, torch.tensor([0.05, 1.0, 0.5 * (0.1 + 0.25 * 1.9)]))


def test_the_divergence_is_from_the_cached_label_to_what_is_said_now() -> None:
    rng = np.random.default_rng(0)
    cached, now = rng.normal(size=(2, 20, 5)) * 4
    found = divergence(torch.tensor(softmax(cached / 1.5, axis=1)), torch.tensor(now), 1.5)
    expected = entropy(softmax(cached / 1.5, axis=1), softmax(now / 1.5, axis=1), axis=1)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_class_without_probability_adds_nothing() -> None:
    certain = torch.tensor([[1.0, 0.0]])
    assert divergence(certain, torch.tensor([[3.0, 3.0]]), 1.0).item() == pytest.approx(np.log(2))


@dataclass
class Recording:
    """A prior whose loss is the mean square of the latents, and which writes down what it is asked."""

    timesteps: int = 1000
    asked: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    decoded: int = 0

    def decode(self, latents: Tensor) -> Tensor:
        self.decoded += 1
        return latents

    def loss(self, latents: Tensor, t: Tensor, noise: Tensor, class_index: Tensor) -> Tensor:
        self.asked.append((t.clone(), noise.clone()))
        return latents.square().flatten(1).mean(1)


class Brightness(SpecimenTeacher):
    """Counts how often it is asked."""

    asked = 0

    def class_logits(self, images: Tensor) -> Tensor:
        self.asked += 1
        return super().class_logits(images)


def some(count: int = 4, size: int = 4, seed: int = 0) -> DistilledSet:
    latents = torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(seed))
    labels = torch.arange(count) % 3
    soft = SoftLabels(torch.randn(count, 3, generator=torch.Generator().manual_seed(seed + 1)), 1.5)
    images = (latents * 255).round().to(torch.uint8)
    return DistilledSet(images, labels, tuple(f"s{i}" for i in range(count)), latents, soft, ipc=count)


def test_plain_gradient_steps_by_hand() -> None:
    """Two steps, the divergence in the second: z ← z − η ∂(Σz²/D), then z ← z − η ∂(Σz²/D + w KL)."""
    before = some()
    assert before.latents is not None
    assert before.soft is not None
    after = refiner(steps=2, learning_rate=0.5, kl_steps=1, optimizer="gradient").refine(
        before, Recording(), SpecimenTeacher(), Context()
    )
    z, size = before.latents.double(), before.latents[0].numel()
    z = z - 0.5 * 2 * z / size
    q = before.soft.probabilities.double()
    weights = kl_weights(q, before.labels, PAPER)
    p = (10 * z.mean((2, 3)) / 1.5).softmax(1)
    # ∂KL/∂logit is (p − q) / τ, and each of a colour's 16 pixels carries 10 / 16 of it.
    slope = (weights[:, None] * (p - q) / 1.5 * 10 / 16)[:, :, None, None]
    z = z - 0.5 * (2 * z / size + slope)
    assert after.latents is not None
    torch.testing.assert_close(after.latents, z.float())


def test_memory_that_runs_out() -> None:
    class Full(Recording):
        def loss(self, latents: Tensor, t: Tensor, noise: Tensor, class_index: Tensor) -> Tensor:
            raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(ComponentError) as caught:
        refiner(batch=6).refine(some(), Full(), SpecimenTeacher(), Context())
    assert str(caught.value) == (
        "out of memory for refining 6 images at once by refiner 'soft-label-latent'; "
        "lower its parameter 'batch' from 6 to 3"
    )


@pytest.mark.parametrize(("steps", "kl_steps"), [(10, 4), (10, 0), (3, 4)])
def test_only_the_last_steps_decode(steps: int, kl_steps: int) -> None:
    prior, teacher = Recording(), Brightness()
    refiner(steps=steps, kl_steps=kl_steps).refine(some(), prior, teacher, Context())
    assert len(prior.asked) == steps
    assert teacher.asked == min(steps, kl_steps)
    assert prior.decoded == teacher.asked + 1, "once more for the images"


def test_timesteps_are_uniform_and_noise_is_normal() -> None:
    prior = Recording()
    refiner(steps=100, kl_steps=0, batch=50).refine(some(50), prior, SpecimenTeacher(), Context())
    t = torch.cat([t for t, _ in prior.asked])
    noise = torch.cat([noise.flatten() for _, noise in prior.asked])
    assert (t.min() >= 0, t.max() <= 999) == (True, True)
    assert t.double().mean().item() == pytest.approx(499.5, abs=4 * 1000 / 12**0.5 / len(t) ** 0.5)
    assert len(t.unique()) > 950
    assert abs(noise.mean()) < 0.01
    assert noise.std().item() == pytest.approx(1, abs=0.01)


def test_an_image_depends_on_no_other_and_not_on_its_place() -> None:
    whole, order = some(6), [4, 2, 0, 1, 5, 3]
    assert whole.latents is not None
    assert whole.soft is not None
    turned = DistilledSet(
        whole.images[order],
        whole.labels[order],
        tuple(whole.sample_ids[i] for i in order),
        whole.latents[order],
        SoftLabels(whole.soft.logits[order], 1.5),
        ipc=whole.ipc,
    )
    first = refiner(steps=5, batch=4).refine(whole, SpecimenPrior(), SpecimenTeacher(), Context(seed=3))
    second = refiner(steps=5, batch=1).refine(turned, SpecimenPrior(), SpecimenTeacher(), Context(seed=3))
    assert first.latents is not None
    assert second.latents is not None
    torch.testing.assert_close(second.latents, first.latents[order], rtol=0, atol=1e-5)


def test_latents_keep_their_precision() -> None:
    whole = some()
    assert whole.latents is not None
    half = replace(whole, latents=whole.latents.half())
    after = refiner(steps=3).refine(half, SpecimenPrior(), SpecimenTeacher(), Context())
    assert after.latents is not None
    assert after.latents.dtype == torch.float16


@pytest.mark.parametrize(
    ("absent", "told"),
    [("latents", "needs latents"), ("soft", "needs soft labels"), ("prior", "a prior"), ("teacher", "a teacher")],
)
def test_what_is_missing_is_named(absent: str, told: str) -> None:
    distilled = replace(some(), **{absent: None}) if absent in ("latents", "soft") else some()
    prior = None if absent == "prior" else SpecimenPrior()
    teacher = None if absent == "teacher" else SpecimenTeacher()
    with pytest.raises(ComponentError, match=told):
        refiner().refine(distilled, prior, teacher, Context())


def test_a_latent_that_runs_away_is_told() -> None:
    with pytest.raises(ComponentError, match="infinite or not a number; lower the learning rate"):
        refiner(optimizer="gradient", learning_rate=1e30, steps=8).refine(
            some(), Recording(), SpecimenTeacher(), Context()
        )


def test_the_same_code_refines_a_latent_diffusion_pipeline(tmp_path: Path) -> None:
    """A small pipeline of DiT-XL/2's classes: VAE latents in half precision, a transformer with learned variances."""
    data = Specimen().training()
    values = type(ddbench.create("generator", "dit-xl2")).example(data, tmp_path)
    generator = cast("Any", ddbench.create("generator", "dit-xl2", **values))
    generator.load(None, data, Context())
    parts = [generator.sample(c, 0, 2, Context()) for c in range(3)]
    latents, images = (torch.cat([getattr(p, name) for p in parts]) for name in ("latents", "images"))
    soft = SoftLabels(SpecimenTeacher().class_logits(images.float() / 255).flip(1), 1.5)
    before = DistilledSet(images, torch.arange(3).repeat_interleave(2), tuple("abcdef"), latents, soft, ipc=2)
    after = refiner(steps=8, batch=4).refine(before, generator.prior, SpecimenTeacher(), Context())
    assert after.latents is not None
    assert after.latents.dtype == latents.dtype == torch.float16
    assert (after.latents != latents).flatten(1).any(1).all()
    with torch.no_grad():
        decoded = generator.prior.decode(after.latents.float())
    assert after.images.equal((decoded * 255).round().to(torch.uint8)), "images are what the kept latents decode to"


# on a trained generator


class Scene(NamedTuple):
    """Latents of a trained dit-nano, with the labels of a trained teacher."""

    distilled: DistilledSet
    prior: Prior
    teacher: Scorer

    def refined(self, seed: int = 0, **params: Any) -> DistilledSet:
        return refiner(**params).refine(self.distilled, self.prior, self.teacher, Context(seed=seed))

    def part(self, rows: slice) -> Scene:
        d = self.distilled
        soft = SoftLabels(soft_of(d).logits[rows], soft_of(d).tau)
        part = DistilledSet(d.images[rows], d.labels[rows], d.sample_ids[rows], latents_of(d)[rows], soft, ipc=d.ipc)
        return self._replace(distilled=part)

    def few(self) -> Scene:
        return self.part(slice(0, 8))


def latents_of(distilled: DistilledSet) -> Tensor:
    assert distilled.latents is not None
    return distilled.latents


def soft_of(distilled: DistilledSet) -> SoftLabels:
    assert distilled.soft is not None
    return distilled.soft


# Images a class that the teacher learns from, and latents.
QUICK, WHOLE = (25, 24), (100, 64)


@pytest.fixture(scope="module", params=[QUICK, pytest.param(WHOLE, marks=pytest.mark.slow)], ids=["quick", "whole"])
def scene(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Latents of dit-nano: 64 where slow tests run, else fewer, and a teacher that learnt less."""
    per_class, count = request.param
    data = ddbench.create("dataset", "tiny-cifar").training()  # type: ignore[attr-defined]
    kept = [i for c in range(10) for i in (data.train.labels == c).nonzero()[:per_class, 0].tolist()]
    train = LabeledImages(data.train.images[kept], data.train.labels[kept], tuple(data.train.ids[i] for i in kept))
    data = replace(data, train=train)
    generator = cast("Any", ddbench.create("generator", "dit-nano", sampling_steps=10, block=7))
    teacher = cast("Any", ddbench.create("scorer", "trained-teacher"))
    generator.load(None, data, Context())
    folder = tmp_path_factory.mktemp("teacher")
    teacher.fit(data, folder, Context(scratch=folder))
    teacher.load(folder, data, Context())
    parts = [generator.sample(c, 0, 7, Context()) for c in range(-(-count // 7))]
    latents, images = (torch.cat([getattr(p, name) for p in parts])[:count] for name in ("latents", "images"))
    labels = torch.arange(len(parts)).repeat_interleave(7)[:count]
    soft = SoftLabels(teacher.score(images, Context())["logits"], 1.5)
    ids = tuple(i for p in parts for i in p.ids)[:count]
    return Scene(DistilledSet(images, labels, ids, latents, soft, ipc=len(ids)), generator.prior, teacher)


@pytest.fixture(scope="module")
def refined(scene: Scene) -> DistilledSet:
    return scene.refined()


@torch.no_grad()
def losses(scene: Scene, latents: Tensor) -> tuple[Tensor, Tensor]:
    """Of each latent the denoising loss, over a grid of 16 timesteps each with noise of its own, and w · KL."""
    distilled = scene.distilled
    times = ((torch.arange(16) + 0.5) / 16 * scene.prior.timesteps).long()
    noise = torch.randn(16, *latents.shape[1:], generator=torch.Generator().manual_seed(99))
    grid = [
        scene.prior.loss(latents, t.expand(len(latents)), e.expand_as(latents), distilled.labels)
        for t, e in zip(times, noise, strict=True)
    ]
    soft = soft_of(distilled).probabilities
    kl = divergence(soft, scene.teacher.class_logits(scene.prior.decode(latents)), 1.5)
    return torch.stack(grid).mean(0), kl_weights(soft, distilled.labels, PAPER) * kl


def interval(differences: Tensor) -> tuple[float, float]:
    """Return the 95 % interval of the mean, by the paired bootstrap."""
    drawn = np.random.default_rng(0).integers(len(differences), size=(10_000, len(differences)))
    low, high = np.quantile(differences.numpy()[drawn].mean(1), [0.025, 0.975])
    return float(low), float(high)


def test_the_objective_falls(scene: Scene, refined: DistilledSet) -> None:
    before, after = (torch.stack(losses(scene, latents_of(d))).sum(0) for d in (scene.distilled, refined))
    low, high = interval(after - before)
    assert low < high < 0


def test_the_divergence_falls_against_none(scene: Scene, refined: DistilledSet) -> None:
    without = losses(scene, latents_of(scene.refined(kl_steps=0)))[1]
    _, high = interval(losses(scene, latents_of(refined))[1] - without)
    assert high < 0


def test_no_step_moves_nothing(scene: Scene) -> None:
    few = scene.few()
    still = few.refined(learning_rate=0, steps=6)
    assert latents_of(still).equal(latents_of(few.distilled))
    assert still.images.equal(few.distilled.images)


def test_frozen_weights_stay_and_get_no_gradients(scene: Scene) -> None:
    networks = [cast("Any", scene.prior).network, cast("Any", scene.teacher)._model]
    before = [{name: value.clone() for name, value in network.state_dict().items()} for network in networks]
    scene.few().refined(steps=5)
    for network, values in zip(networks, before, strict=True):
        assert all(value.equal(values[name]) for name, value in network.state_dict().items())
        assert all(p.grad is None and not p.requires_grad for p in network.parameters())


def test_the_same_seed_gives_the_same_bits_and_another_does_not(scene: Scene) -> None:
    first, again, other = (scene.few().refined(steps=10, seed=seed) for seed in (0, 0, 1))
    assert latents_of(first).equal(latents_of(again))
    assert first.images.equal(again.images)
    assert not latents_of(first).equal(latents_of(other))


def test_an_image_in_a_batch_is_refined_as_it_is_alone(scene: Scene) -> None:
    together = scene.few().refined(batch=4)
    for i in (1, 7):
        alone = scene.part(slice(i, i + 1)).refined(batch=4)
        torch.testing.assert_close(latents_of(alone), latents_of(together)[i : i + 1], rtol=0, atol=1e-5)


def test_the_size_of_batches_changes_but_rounding(scene: Scene) -> None:
    together, alone = (latents_of(scene.few().refined(batch=batch, steps=20)) for batch in (8, 1))
    # Latents are kept in half precision: rounded the other way, one of them is off by 2⁻¹⁰ of its size.
    torch.testing.assert_close(together.float(), alone.float(), rtol=2**-10, atol=1e-5)


def test_bf16_refines_much_as_float32_does(scene: Scene) -> None:
    few = scene.few()
    plain, quick = (latents_of(few.refined(precision=p, steps=20)) for p in ("float32", "bf16"))
    assert quick.dtype == plain.dtype
    moved, moved_too = ((z - latents_of(few.distilled)).flatten() for z in (plain, quick))
    assert torch.cosine_similarity(moved, moved_too, dim=0) > 0.8
