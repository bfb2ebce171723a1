"""Declared costs of generators, against counted operations and published numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch
from ddbench_components.generators._dit.pipeline_cost import PipelineCost
from ddbench_components.generators._dit.prior import LatentDitPrior
from ddbench_components.generators._finetune import fine_tuning as _fine_tuning
from ddbench_components.generators._finetune.difffit import add_scales, tie_embeddings, trained_parameters
from small_pipelines import real_images, transformer
from torch.utils.flop_counter import FlopCounterMode

import ddbench
from ddbench import Context, Generator
from ddbench.api.cost import Cost


def generator(name: str, pipeline: Path | None = None, **params: Any) -> Generator:
    own = {"model": str(pipeline), "classes": "dataset"} if pipeline else {}
    return cast("Generator", ddbench.create("generator", name, **own, **params))


def imagewoof() -> Any:
    return ddbench.create("dataset", "imagewoof")


@pytest.mark.parametrize("guidance", [1.0, 4.0])
def test_a_sample_takes_what_is_counted(guidance: float, pipeline: Path) -> None:
    made = generator("dit-xl2", pipeline, guidance=guidance, sampling_steps=3, block=2, batch=2)
    made.load(None, real_images(), Context())
    with FlopCounterMode(display=False) as counter:
        made.sample_block(0, 0, Context())
    told = made.cost(imagewoof())
    assert told is not None
    assert told.flops is not None
    assert 2 * told.flops == pytest.approx(counter.get_total_flops(), rel=0.01)
    prior = cast("LatentDitPrior", made.prior)
    latents, t = torch.zeros(1, 4, 8, 8), torch.tensor([5])
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        prior.loss(latents, t, latents, torch.tensor([0]))
    assert cast("Cost", made.loss_cost(imagewoof())).flops == pytest.approx(counter.get_total_flops(), rel=0.01)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        prior.decode(latents)
    assert cast("Cost", made.decode_cost(imagewoof())).flops == pytest.approx(counter.get_total_flops(), rel=0.01)


def test_dit_xl2_is_known_without_its_weights() -> None:
    """237.3 GFLOP a pass, 622 to decode, 24.4 TFLOP for 50 guided steps; 750 million numbers in diffusers' class."""
    made = generator("dit-xl2", precision="bf16")
    told = made.cost(imagewoof())
    assert told is not None
    assert told.flops == pytest.approx(24.36e12, rel=0.01)
    assert told.half_flops == pytest.approx(23.73e12, rel=0.01)
    assert told.disk_bytes == 3 * 256 * 256 + 2 * 4 * 32 * 32
    size = cast("PipelineCost", cast("Any", made).size)
    assert size.dit.parameters == pytest.approx(749.8e6, rel=0.001)
    assert size.vae.weights == pytest.approx(83.65e6, rel=0.01)
    assert size.dit.difffit_parameters == 1_739_552
    assert told.memory_bytes is not None
    assert told.memory_bytes > 1.5e9 + 0.33e9
    assert generator("dit-xl2", model="someone/else").cost(imagewoof()) is None
    missing = made.missing()
    assert missing is not None
    assert "no transformer of facebook/DiT-XL-2-256" in missing
    assert "`ddbench fetch SUITE` gets it" in missing


@pytest.mark.parametrize("which", ["difffit", "full"])
def test_a_fit_takes_what_is_counted(
    which: str, pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On 24 images, four steps of six; the terms of Minimax diffusion ask the network nothing."""

    class Few:
        train_counts = (8, 8, 8)
        classes = (None,) * 3

    # Of a long training the curve, which asks each part of the loss for its gradient, is next to nothing.
    monkeypatch.setattr(_fine_tuning, "loss_report", lambda *_: {})
    made = generator("minimax", pipeline, batch_size=6, epochs=1, trained=which)
    with FlopCounterMode(display=False) as counter:
        cast("Any", made).fit(real_images(), tmp_path, Context())
    told = made.fit_cost(cast("Any", Few()))
    assert told is not None
    assert told.flops == pytest.approx(counter.get_total_flops(), rel=0.05)
    network = transformer()
    tie_embeddings(network)
    add_scales(network)
    count = sum(p.numel() for p in trained_parameters(network, "difffit").values())
    size = cast("PipelineCost", cast("Any", made).size)
    assert size.dit.difffit_parameters == count


def test_fits_of_imagewoof() -> None:
    """12,000 steps of 8 latents forth and back, 25,000 images encoded: 46 and 7 PFLOP."""
    told = generator("minimax", stop_after=12000).fit_cost(imagewoof())
    assert told is not None
    assert told.flops == pytest.approx(2 * 12000 * 8 * 237.3e9 + 2 * 12454 * 273e9, rel=0.01)
    inverted = generator("inversion-matching", stop_after=12000).fit_cost(imagewoof())
    assert inverted is not None
    assert cast("int", inverted.flops) > cast("int", told.flops)
    assert generator("minimax", checkpoint="some.pt").fit_cost(imagewoof()) == Cost(0)
    modes = generator("mode-guidance", modes=10).fit_cost(imagewoof())
    assert modes is not None
    assert modes.disk_bytes == 10 * 10 * 4 * 4 * 32 * 32
