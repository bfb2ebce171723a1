"""Declared costs of `ddpm`, against counted operations and stored bytes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import by_hand
import pytest
import torch
from ddbench_components.generators._ddpm import batches as _ddpm_batches
from ddbench_components.generators.ddpm import Ddpm

import ddbench
from ddbench import Context, LabeledImages, TrainingData
from ddbench.api.cost import Cost
from ddbench.api.work import Decode, Fit, Loss, Sample
from tests.flop_counting import counting

UNET: dict[str, Any] = {"block_out_channels": [32, 64], "attention_levels": [1], "sampling_steps": 3, "block": 2}
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": UNET,
    "guided": {**UNET, "label_dropout": 0.1, "guidance": 2.0},
    "with its class as a timestep": {**UNET, "class_embedding": "timestep", "sampler": "ddim"},
}


@pytest.fixture(scope="module")
def data() -> TrainingData:
    images = torch.randint(0, 256, (12, 3, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    train = LabeledImages(images, torch.arange(12) % 3, tuple(map(str, range(12))))
    classes = tuple(ddbench.ClassInfo(name) for name in "abc")
    return TrainingData("noise", classes, 16, (0.5,) * 3, (0.5,) * 3, train)


def plan_suite(*counts: int) -> Any:
    """Return the facts about such a data set that a plan knows."""
    return SimpleNamespace(classes=(None,) * 3, image_size=16, train_counts=counts or None)


def generator(variant: str, **params: Any) -> Ddpm:
    return cast("Ddpm", ddbench.create("generator", "ddpm", **{**VARIANTS[variant], "steps": 4, "batch": 2, **params}))


@pytest.mark.parametrize("variant", VARIANTS)
def test_fit_and_samples_take_what_is_counted(variant: str, data: TrainingData, tmp_path: Path) -> None:
    """A training, nearly: first layers need no gradient of their inputs."""
    made, dataset = generator(variant), plan_suite(4, 4, 4)
    with counting() as counter:
        made.fit(data, tmp_path, Context())
    told = cast("Cost", made.cost(Fit(dataset)))
    assert told.flops == pytest.approx(counter.get_total_flops(), rel=0.02)
    weights = sum(path.stat().st_size for path in tmp_path.rglob("*.safetensors"))
    assert told.disk_bytes == pytest.approx(weights, rel=0.1), "names and shapes are stored too"

    made.load(tmp_path, data, Context())
    with counting() as counter:
        samples = made.sample_block(0, 0, Context())
    told = cast("Cost", made.cost(Sample(dataset)))
    assert counter.get_total_flops() == 2 * cast("int", told.flops)
    assert samples.latents is not None
    assert 2 * cast("int", told.disk_bytes) == samples.images.nbytes + samples.latents.nbytes

    assert made.prior is not None
    with counting() as counter, torch.no_grad():
        made.prior.loss(samples.latents, torch.tensor([1, 5]), samples.latents, torch.tensor([0, 1]))
    assert counter.get_total_flops() == 2 * cast("int", cast("Cost", made.cost(Loss(dataset))).flops)
    with counting() as counter, torch.no_grad():
        made.prior.decode(samples.latents)
    assert made.cost(Decode(dataset)) == Cost(counter.get_total_flops()) == Cost(0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_fit_and_samples_take_what_their_layers_take(variant: str) -> None:
    """Four steps of two images forth and back, one held-out image at ten timesteps twice; three steps of sampling."""
    made, dataset = generator(variant), plan_suite(4, 4, 4)
    forward = 2 * by_hand.unet_32_64(16, classes_as_timesteps="timestep" in variant)
    told = {work: cast("Cost", made.cost(work(dataset))) for work in (Fit, Sample, Loss)}
    assert told[Fit].flops == (3 * 4 * 2 + 2 * 10 * 1) * forward
    assert told[Sample].flops == (6 if variant == "guided" else 3) * forward
    assert told[Loss].flops == forward


def test_launches_are_those_of_each_step() -> None:
    """The network's kernels thrice a step and 40 more; a block of two samples, guided or not, shares its launches."""
    made, dataset = generator("plain"), plan_suite(4, 4, 4)
    forward = cast("Cost", made.cost(Loss(dataset))).launches
    assert cast("Cost", made.cost(Fit(dataset))).launches == 4 * (3 * forward + 40)
    for variant in ("plain", "guided"):
        assert cast("Cost", generator(variant).cost(Sample(dataset))).launches == 3 * forward / 2


def test_held_out_images_are_no_more_than_are_held_out() -> None:
    """Two passes each at every timestep, whatever the size of the data set, and none where the size is not known."""
    made = generator("plain")
    forward = cast("int", cast("Cost", made.cost(Loss(plan_suite()))).flops)
    passes = 2 * len(_ddpm_batches.HELD_OUT_TIMESTEPS) * _ddpm_batches.HELD_OUT_AT_MOST
    for count in (1000, 100_000):
        assert cast("Cost", made.cost(Fit(plan_suite(count, count, count)))).flops == (3 * 4 * 2 + passes) * forward
    assert cast("Cost", made.cost(Fit(plan_suite(1, 1, 1)))).flops == (3 * 4 * 2 + 20) * forward
    assert made.cost(Fit(plan_suite())) is None
    assert made.cost(Sample(plan_suite())) is not None


def test_an_imported_model_is_not_trained(data: TrainingData, tmp_path: Path) -> None:
    """It takes what it took where it was trained, whatever the parameters of the training say."""
    own = generator("with its class as a timestep")
    own.fit(data, tmp_path / "own", Context())
    taken = generator("plain", model=tmp_path / "own", block_out_channels=[64], attention_levels=[])
    dataset = plan_suite(4, 4, 4)
    assert taken.cost(Sample(dataset)) == own.cost(Sample(dataset))
    assert taken.cost(Loss(dataset)) == own.cost(Loss(dataset))
    assert taken.cost(Fit(plan_suite())) == Cost(0, disk_bytes=cast("Cost", own.cost(Fit(dataset))).disk_bytes)
    with counting() as counter:
        taken.fit(data, tmp_path / "taken", Context())
    assert counter.get_total_flops() == 0
    elsewhere = generator("plain", model=tmp_path / "elsewhere")
    assert [elsewhere.cost(work(dataset)) for work in (Sample, Fit, Loss)] == [None] * 3
