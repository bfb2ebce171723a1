"""Declared costs of generators, against counted operations and published numbers."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import by_hand
import pytest
import torch
from ddbench_components.generators._dit.pipeline_cost import PipelineCost
from ddbench_components.generators._dit.prior import LatentDitPrior
from ddbench_components.generators._finetune import fine_tuning as _fine_tuning
from ddbench_components.generators._finetune.difffit import add_scales, tie_embeddings, trained_parameters
from small_pipelines import real_images, transformer

import ddbench
from ddbench import Context, Generator
from ddbench.api.cost import Cost
from ddbench.api.work import Decode, Fit, Loss, Sample
from tests.flop_counting import counting


def generator(name: str, pipeline: Path | None = None, **params: Any) -> Generator:
    own = {"model": str(pipeline), "classes": "dataset"} if pipeline else {}
    return cast("Generator", ddbench.create("generator", name, **own, **params))


def imagewoof() -> Any:
    return ddbench.create("dataset", "imagewoof")


@pytest.mark.parametrize("guidance", [1.0, 4.0])
def test_a_sample_takes_what_is_counted(guidance: float, pipeline: Path) -> None:
    made = generator("dit-xl2", pipeline, guidance=guidance, sampling_steps=3, block=2, batch=2)
    made.load(None, real_images(), Context())
    with counting() as counter:
        made.sample_block(0, 0, Context())
    told = made.cost(Sample(imagewoof()))
    assert told is not None
    assert told.flops is not None
    assert 2 * told.flops == pytest.approx(counter.get_total_flops(), rel=0.01)
    prior = cast("LatentDitPrior", made.prior)
    latents, t = torch.zeros(1, 4, 8, 8), torch.tensor([5])
    with counting() as counter, torch.no_grad():
        prior.loss(latents, t, latents, torch.tensor([0]))
    assert cast("Cost", made.cost(Loss(imagewoof()))).flops == pytest.approx(counter.get_total_flops(), rel=0.01)
    with counting() as counter, torch.no_grad():
        prior.decode(latents)
    assert cast("Cost", made.cost(Decode(imagewoof()))).flops == pytest.approx(counter.get_total_flops(), rel=0.01)


@pytest.mark.parametrize("guidance", [1.0, 4.0])
def test_a_sample_takes_what_its_layers_take(guidance: float, pipeline: Path) -> None:
    """Three steps of a transformer of two blocks of width 16 on latents of 8 px, which are decoded to 16 px."""
    made = generator("dit-xl2", pipeline, guidance=guidance, sampling_steps=3, block=2, batch=2)
    asked, decoded = 2 * by_hand.dit(2, 16, 8, 2, 8, embeddings=3), 2 * by_hand.small_decoder(8)
    told = {work: cast("Cost", made.cost(work(imagewoof()))) for work in (Sample, Loss, Decode)}
    assert told[Sample].flops == (6 if guidance == 4 else 3) * asked + decoded
    assert (told[Loss].flops, told[Decode].flops) == (asked, decoded)
    assert told[Sample].launches == 3 * told[Loss].launches / 2, "two images share a batch"


@pytest.mark.parametrize(("which", "passes"), [("difffit", 2), ("full", 3)])
def test_a_fit_takes_what_its_layers_take(which: str, passes: int, pipeline: Path) -> None:
    """24 images encoded as they are and mirrored, then four steps of six."""
    few = cast("Any", SimpleNamespace(train_counts=(8, 8, 8), classes=(None,) * 3))
    made = generator("minimax", pipeline, batch_size=6, epochs=1, trained=which)
    told = cast("Cost", made.cost(Fit(few)))
    asked, encoded = 2 * by_hand.dit(2, 16, 8, 2, 8, embeddings=3), 2 * by_hand.small_encoder(8)
    assert told.flops == passes * 4 * 6 * asked + 2 * 24 * encoded
    assert told.launches == passes * 4 * cast("Cost", made.cost(Loss(few))).launches


def test_dit_xl2_is_known_without_its_weights() -> None:
    """237.3 GFLOP a pass, 622 to decode, 24.4 TFLOP for 50 guided steps; 750 million numbers in diffusers' class."""
    made = generator("dit-xl2", precision="bf16")
    told = made.cost(Sample(imagewoof()))
    assert told is not None
    assert told.flops == pytest.approx(24.36e12, rel=0.01)
    assert told.half_flops == pytest.approx(23.73e12, rel=0.01)
    assert told.disk_bytes == 3 * 256 * 256 + 2 * 4 * 32 * 32
    size = cast("PipelineCost", cast("Any", made).size)
    assert size.dit.parameters == pytest.approx(749.8e6, rel=0.001)
    assert size.vae.parameters == 83_653_863
    assert size.dit.difffit_parameters == 1_739_552
    assert told.memory_bytes is not None
    assert told.memory_bytes > 1.5e9 + 0.33e9
    assert generator("dit-xl2", model="someone/else").cost(Sample(imagewoof())) is None
    missing = made.missing()
    assert missing is not None
    assert "no transformer of facebook/DiT-XL-2-256" in missing
    assert "run `ddbench fetch SUITE`, or" in missing


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
    with counting() as counter:
        cast("Any", made).fit(real_images(), tmp_path, Context())
    told = made.cost(Fit(cast("Any", Few())))
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
    told = generator("minimax", stop_after=12000).cost(Fit(imagewoof()))
    assert told is not None
    assert told.flops == pytest.approx(2 * 12000 * 8 * 237.3e9 + 2 * 12454 * 273e9, rel=0.01)
    inverted = generator("inversion-matching", stop_after=12000).cost(Fit(imagewoof()))
    assert inverted is not None
    assert cast("int", inverted.flops) > cast("int", told.flops)
    assert generator("minimax", checkpoint="some.pt").cost(Fit(imagewoof())) == Cost(0)
    modes = generator("mode-guidance", modes=10).cost(Fit(imagewoof()))
    assert modes is not None
    assert modes.disk_bytes == 10 * 10 * 4 * 4 * 32 * 32
