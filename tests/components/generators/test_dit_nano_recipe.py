"""The making of `dit-nano`: its losses by hand, that it goes on where it was stopped, and all of it in small."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from ddbench_components.generators._dit.real_latents import RealLatents
from ddbench_components.generators._dit.weights import class_names
from ddbench_components.recipes.dit_nano import figures as _figures
from ddbench_components.recipes.dit_nano.autoencoder import Autoencoder, distance
from ddbench_components.recipes.dit_nano.card import card
from ddbench_components.recipes.dit_nano.classifiers import Classifier
from ddbench_components.recipes.dit_nano.figures import Judgement, _part, figures, frechet
from ddbench_components.recipes.dit_nano.learning import Course, learn
from ddbench_components.recipes.dit_nano.making import Making, describe
from ddbench_components.recipes.dit_nano.recipe import Recipe
from ddbench_components.recipes.dit_nano.transformer import Transformer
from small_pipelines import ALPHA_BAR
from torch import Tensor, nn

import ddbench
from ddbench import ComponentError, Context, Dataset, LabeledImages
from ddbench.toolkit.kept_parts import Pace

COURSE = Course(steps=4, batch=4, learning_rate=1e-3, warmup=2, weight_decay=0.0, ema=0.9)
SMALL = Recipe(
    teacher=Classifier("convnet3", epochs=1),
    autoencoder=Autoencoder(COURSE, (8, 8), latent_channels=4, likeness=0.1, divergence=0.01, compile=False),
    transformer=Transformer(COURSE, 1, 1, head_channels=8, patch=4, label_dropout=0.1, bound=5.0, compile=False),
    judge=Classifier("convnet3", epochs=1),
    guidance=2.0,
)


class Few:
    """Four images a class of tiny-cifar, of each split."""

    def __init__(self) -> None:
        self.whole = cast("Dataset", ddbench.create("dataset", "tiny-cifar"))
        self.classes, self.image_size = self.whole.classes, self.whole.image_size

    def train(self) -> LabeledImages:
        return _four_a_class(self.whole.train())

    def validation(self) -> LabeledImages:
        return _four_a_class(self.whole.validation())

    def training(self) -> ddbench.TrainingData:
        return replace(self.whole.training(), train=self.train())


def _four_a_class(images: LabeledImages) -> LabeledImages:
    kept = torch.cat([(images.labels == c).nonzero()[:4, 0] for c in range(10)])
    return LabeledImages(images.images[kept], images.labels[kept], tuple(images.ids[i] for i in kept))


def test_all_of_it_in_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_figures, "GUIDANCES", (SMALL.guidance,))
    making = Making(SMALL, cast("Any", Few()), tmp_path, Context())
    pipeline = making.pipeline()
    assert class_names(pipeline / "model_index.json") == [c.name for c in Few().classes]
    measured = figures(pipeline, making.judge(), cast("Any", Few()), per_class=2, ctx=Context())
    (shown,) = measured["samples"]
    assert shown["guidance"] == SMALL.guidance
    about = json.loads(json.dumps(describe(making, measured)))
    assert set(about["seconds"]) == {"autoencoder", "transformer"}
    told = card(about)
    assert "4 steps of 4 images" in told
    assert f"{shown['agreement']:.1f}" in told
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    assert Making(SMALL, cast("Any", Few()), tmp_path, Context()).pipeline() == pipeline
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == before, "nothing is made twice"
    other = replace(SMALL, transformer=replace(SMALL.transformer, label_dropout=0.2))
    for recipe, ctx in ((other, Context()), (SMALL, Context(seed=1))):
        with pytest.raises(ComponentError, match=r"recipe\.json: belongs to another recipe; use an empty folder"):
            Making(recipe, cast("Any", Few()), tmp_path, ctx)


def test_what_is_judged_is_not_what_it_is_compared_with() -> None:
    """The images at places 1 and 2 of each class, in the order of the classes."""
    labels = torch.tensor([1, 0, 0, 1, 1, 0, 1])
    images = torch.arange(7).to(torch.uint8)[:, None, None, None].expand(7, 3, 1, 1)
    part = _part(LabeledImages(images, labels, tuple("abcdefg")), range(1, 3))
    assert part.ids == ("c", "f", "d", "e")
    assert part.labels.tolist() == [0, 0, 1, 1]
    assert part.images[:, 0, 0, 0].tolist() == [2, 5, 3, 4]


class _StopError(Exception):
    pass


def test_a_training_goes_on_where_it_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the same bits, without doing again what was done, and with the time of both parts."""
    monkeypatch.setattr(Pace, "due", True)

    def run(ctx: Context, stop_in: int | None = None) -> tuple[Tensor, int, float]:
        torch.manual_seed(0)
        network, asked = nn.Linear(3, 1), 0

        def loss(rng: torch.Generator) -> Tensor:
            nonlocal asked
            asked += 1
            if asked == stop_in:
                raise _StopError
            time.sleep(0.1)
            return cast("Tensor", network(torch.randn(5, 3, generator=rng)).square().mean())

        seconds = learn(network, COURSE, loss, ctx)
        return network.weight, asked, seconds

    whole, steps, _ = run(Context())
    kept = Context(checkpoint_file=tmp_path / "unfinished")
    with pytest.raises(_StopError):
        run(kept, stop_in=3)
    resumed, left, seconds = run(kept)
    assert resumed.equal(whole)
    assert (steps, left) == (4, 2)
    assert seconds >= 0.4, "of all four steps"


def test_a_course_rises_along_a_line_and_falls_along_half_a_cosine() -> None:
    course = Course(steps=100, batch=1, learning_rate=2.0, warmup=10, weight_decay=0.0, ema=0.99)
    assert course.rate(0) == pytest.approx(0.2, rel=1e-3)
    assert course.rate(50) == pytest.approx(1.0)
    assert course.rate(99) < 0.001
    assert [course.decay(0), course.decay(10_000)] == [pytest.approx(0.1), 0.99]


def test_errors_count_by_their_bounded_ratio_of_signal_to_noise() -> None:
    """min(SNR, 5) / SNR times the squared error, from streams of noise that are drawn here again."""
    course = replace(COURSE, batch=6)
    small = Transformer(course, 1, 1, head_channels=8, patch=2, label_dropout=0.0, bound=5.0, compile=False)
    vae = Autoencoder(COURSE, (8, 8), 4, 0.1, 0.01, compile=False).build(16)
    prior = small.prior(vae, 8, 3, Context())
    rng = torch.Generator().manual_seed(1)
    mean, deviation = torch.randn(2, 5, 4, 8, 8, generator=rng), torch.rand(2, 5, 4, 8, 8, generator=rng)
    latents = RealLatents(mean, deviation, torch.arange(5) % 3)
    loss = small._loss(prior, latents, torch.Generator().manual_seed(7))

    rng = torch.Generator().manual_seed(7)
    torch.randint(5, (6,), generator=rng)
    torch.rand(2, 6, generator=rng)
    t = torch.randint(1000, (6,), generator=rng)
    _, noise = torch.randn(2, 6, 4, 8, 8, generator=rng)
    expected = 0.0
    for i in range(6):
        kept = ALPHA_BAR[t[i]].item()
        ratio = kept / (1 - kept)
        # An untrained network says 0, so what it gets wrong is the noise.
        expected += min(ratio, 5) / ratio * noise[i].square().mean().item() / 6
    assert loss.item() == pytest.approx(expected, rel=1e-4)


def test_images_are_near_to_a_classifier_whose_features_are_alike() -> None:
    torch.manual_seed(0)
    student = cast("Any", ddbench.create("student", "convnet3", norm="batch"))
    classifier = student.build(10, 32).eval().requires_grad_(False)
    images = torch.rand(3, 3, 32, 32) * 2 - 1
    assert distance(classifier, images, images).item() == 0
    near, far = images + 0.01 * torch.randn_like(images), torch.rand_like(images) * 2 - 1
    between = [distance(classifier, images, other).item() for other in (near, far)]
    assert 0 < between[0] < between[1] <= 3 * 4
    features, by_hand = (images, far), 0.0
    for layer in classifier.features:
        features = (layer(features[0]), layer(features[1]))
        if isinstance(layer, nn.AvgPool2d):
            a, b = (f / f.norm(dim=1, keepdim=True) for f in features)
            by_hand += (a - b).square().sum(1).mean().item()
    assert between[1] == pytest.approx(by_hand, rel=1e-4)


def test_the_distance_of_two_normal_distributions() -> None:
    """|μ₁ − μ₂|² + Σ (√λ₁ − √λ₂)² where the covariances commute."""
    rng = np.random.default_rng(0)
    signs = np.array(np.meshgrid([-1, 1], [-1, 1])).reshape(2, -1).T.repeat(50, 0).astype(float)
    one, other = signs * [1.0, 2.0], signs * [3.0, 5.0] + [0.5, 0.0]
    factor = len(signs) / (len(signs) - 1)
    found = frechet(*(Judgement(e, torch.ones(len(e), dtype=torch.bool)) for e in (one, other)))
    assert found == pytest.approx(0.25 + factor * ((3 - 1) ** 2 + (5 - 2) ** 2))
    same = Judgement(rng.normal(size=(50, 3)), torch.ones(50, dtype=torch.bool))
    assert frechet(same, same) == pytest.approx(0, abs=1e-8)
