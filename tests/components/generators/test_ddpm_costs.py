"""Declared costs of `ddpm`, against counted operations and stored bytes."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from ddbench_components.generators._ddpm import batches as _ddpm_batches
from ddbench_components.generators.ddpm import Ddpm
from torch.utils.flop_counter import FlopCounterMode

import ddbench
from ddbench import Context, LabeledImages, TrainingData
from ddbench.api.cost import Cost

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
    """A training, nearly: first layers need no gradient of their inputs, and attention computes a product again."""
    made, dataset = generator(variant), plan_suite(4, 4, 4)
    with FlopCounterMode(display=False) as counter:
        made.fit(data, tmp_path, Context())
    told = cast("Cost", made.fit_cost(dataset))
    assert told.flops == pytest.approx(counter.get_total_flops(), rel=0.02)
    weights = sum(path.stat().st_size for path in tmp_path.rglob("*.safetensors"))
    assert told.disk_bytes == pytest.approx(weights, rel=0.1), "names and shapes are stored too"

    made.load(tmp_path, data, Context())
    with FlopCounterMode(display=False) as counter:
        samples = made.sample_block(0, 0, Context())
    told = cast("Cost", made.cost(dataset))
    assert counter.get_total_flops() == 2 * cast("int", told.flops)
    assert samples.latents is not None
    assert 2 * cast("int", told.disk_bytes) == samples.images.nbytes + samples.latents.nbytes

    assert made.prior is not None
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        made.prior.loss(samples.latents, torch.tensor([1, 5]), samples.latents, torch.tensor([0, 1]))
    assert counter.get_total_flops() == 2 * cast("int", cast("Cost", made.loss_cost(dataset)).flops)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        made.prior.decode(samples.latents)
    assert made.decode_cost(dataset) == Cost(counter.get_total_flops()) == Cost(0)


def test_held_out_images_are_no_more_than_are_held_out() -> None:
    """Two passes each at every timestep, whatever the size of the data set, and none where the size is not known."""
    made = generator("plain")
    forward = cast("int", cast("Cost", made.loss_cost(plan_suite())).flops)
    passes = 2 * len(_ddpm_batches.HELD_OUT_TIMESTEPS) * _ddpm_batches.HELD_OUT_AT_MOST
    for count in (1000, 100_000):
        assert cast("Cost", made.fit_cost(plan_suite(count, count, count))).flops == (3 * 4 * 2 + passes) * forward
    assert cast("Cost", made.fit_cost(plan_suite(1, 1, 1))).flops == (3 * 4 * 2 + 20) * forward
    assert made.fit_cost(plan_suite()) is None
    assert made.cost(plan_suite()) is not None


def test_an_imported_model_is_not_trained(data: TrainingData, tmp_path: Path) -> None:
    """It takes what it took where it was trained, whatever the parameters of the training say."""
    own = generator("with its class as a timestep")
    own.fit(data, tmp_path / "own", Context())
    taken = generator("plain", model=tmp_path / "own", block_out_channels=[64], attention_levels=[])
    dataset = plan_suite(4, 4, 4)
    assert taken.cost(dataset) == own.cost(dataset)
    assert taken.loss_cost(dataset) == own.loss_cost(dataset)
    assert taken.fit_cost(plan_suite()) == Cost(0, disk_bytes=cast("Cost", own.fit_cost(dataset)).disk_bytes)
    with FlopCounterMode(display=False) as counter:
        taken.fit(data, tmp_path / "taken", Context())
    assert counter.get_total_flops() == 0
    elsewhere = generator("plain", model=tmp_path / "elsewhere")
    assert [elsewhere.cost(dataset), elsewhere.fit_cost(dataset), elsewhere.loss_cost(dataset)] == [None] * 3
