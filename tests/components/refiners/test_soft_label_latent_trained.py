"""Refinement under soft labels: its effect on a trained generator, measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, cast

import numpy as np
import pytest
import torch
from ddbench_components.refiners._latent_descent import divergence, kl_weights
from soft_label_refiner import PAPER, refiner
from torch import Tensor

import ddbench
from ddbench import Context, DistilledSet, LabeledImages, Prior, Scorer, SoftLabels


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("params", "rms"),
    [({}, 0.15), ({"optimizer": "gradient"}, 0.0005), ({"optimizer": "gradient", "reduction": "sum"}, 0.18)],
)
def test_latents_move_as_far_as_the_docstring_says(scene: Scene, params: dict[str, Any], rms: float) -> None:
    few = scene.few()
    moved = latents_of(few.refined(kl_steps=0, **params)).float() - latents_of(few.distilled).float()
    assert moved.square().mean().sqrt().item() == pytest.approx(rms, rel=0.2)


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
    together = scene.few().refined(batch=4, steps=20)
    for i in (1, 7):
        alone = scene.part(slice(i, i + 1)).refined(batch=4, steps=20)
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
