"""Refinement under soft labels: its terms by hand, and its schedule counted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from ddbench_components.refiners._latent_descent import divergence, kl_weights
from scipy.special import softmax
from scipy.stats import entropy
from soft_label_refiner import PAPER, Recording, refiner, some
from torch import Tensor

import ddbench
from ddbench import Context, DistilledSet, SoftLabels
from ddbench.testing.specimens import Specimen, SpecimenPrior, SpecimenTeacher
from ddbench.toolkit.kept_parts import Pace


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


class Brightness(SpecimenTeacher):
    """Counts how often it is asked."""

    asked = 0

    def class_logits(self, images: Tensor) -> Tensor:
        self.asked += 1
        return super().class_logits(images)


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_plain_gradient_steps_by_hand(reduction: str) -> None:
    """Two steps, the divergence in the second: z ← z − η ∂(Σz²/D), then z ← z − η ∂(Σz²/D + w KL); D = 1 in a sum."""
    before = some()
    assert before.latents is not None
    assert before.soft is not None
    after = refiner(steps=2, learning_rate=0.125, kl_steps=1, optimizer="gradient", reduction=reduction).refine(
        before, Recording(), SpecimenTeacher(), Context()
    )
    z, size = before.latents.double(), before.latents[0].numel() if reduction == "mean" else 1
    z = z - 0.125 * 2 * z / size
    q = before.soft.probabilities.double()
    weights = kl_weights(q, before.labels, PAPER)
    p = (10 * z.mean((2, 3)) / 1.5).softmax(1)
    # ∂KL/∂logit is (p − q) / τ, and each of a colour's 16 pixels carries 10 / 16 of it.
    slope = (weights[:, None] * (p - q) / 1.5 * 10 / 16)[:, :, None, None]
    z = z - 0.125 * (2 * z / size + slope)
    assert after.latents is not None
    torch.testing.assert_close(after.latents, z.float())


def test_the_reduction_enters_keys_where_it_is_a_sum() -> None:
    """Keys from before the parameter existed stay valid."""
    keyed = refiner().params.keyed()
    assert "reduction" not in keyed
    assert refiner(reduction="sum").params.keyed() == {**keyed, "reduction": "sum"}


class KilledError(Exception):
    """The machine went away."""


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_a_refinement_that_was_stopped_goes_on_after_its_last_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    """Ten images in batches of three, the last of one image and padding."""
    monkeypatch.setattr(Pace, "due", True)
    before, made = some(10), refiner(steps=2, batch=3)

    def kill(done: int, total: int) -> None:
        if done == 3 * batches:
            raise KilledError

    file = tmp_path / "unfinished.safetensors"
    with pytest.raises(KilledError):
        made.refine(before, Recording(), SpecimenTeacher(), Context(checkpoint_file=file, progress=kill))
    prior = Recording()
    resumed = made.refine(before, prior, SpecimenTeacher(), Context(checkpoint_file=file))
    whole = made.refine(before, Recording(), SpecimenTeacher(), Context())
    assert len(prior.asked) == 2 * (4 - batches), "two steps of each batch that is left"
    assert resumed.images.equal(whole.images)
    assert resumed.latents is not None
    assert whole.latents is not None
    assert resumed.latents.equal(whole.latents)


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
