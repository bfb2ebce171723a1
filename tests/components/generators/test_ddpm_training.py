"""Training of ``ddpm``: determinism, checkpoints, memory, the reported curve and the network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from ddbench_components._pixels import to_latents
from ddbench_components.generators._ddpm import training as _ddpm_training
from ddbench_components.generators._ddpm.prior import DdpmPrior
from ddbench_components.generators.ddpm import Ddpm
from ddpm_scene import BETAS, VARIANTS, files, generator, report_of

import ddbench
from ddbench import ComponentError, Context, LabeledImages, TrainingData
from ddbench.toolkit.kept_parts import Pace


def test_fit_is_deterministic_and_leaves_the_global_generator_alone(
    data: TrainingData, fitted: Path, tmp_path: Path
) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    generator().fit(data, tmp_path, Context())
    assert torch.get_rng_state().equal(before)
    assert files(tmp_path) == files(fitted)
    assert {Path(name).suffix for name in files(tmp_path)} == {".safetensors", ".json"}


class KilledError(Exception):
    """The error that stops a training."""


@pytest.mark.parametrize("killed_at", [[1], [3], [1, 2, 3]])
def test_a_training_that_was_stopped_ends_with_the_same_bits(
    data: TrainingData, fitted: Path, tmp_path: Path, killed_at: list[int]
) -> None:
    kept, made = tmp_path / "unfinished.safetensors", tmp_path / "fitted"
    made.mkdir()
    seen: list[int] = []

    def watch(done: int, total: int) -> None:
        seen.append(done)
        if done in killed_at and seen.count(done) == 1:
            raise KilledError

    ctx = Context(checkpoint_file=kept, progress=watch)
    for _ in killed_at:
        with pytest.raises(KilledError):
            generator(checkpoint_seconds=0).fit(data, made, ctx)
    generator(checkpoint_seconds=0).fit(data, made, ctx)
    assert seen == [1, 2, 3, 4]
    assert files(made) == files(fitted)


@pytest.mark.parametrize("killed_in", [1, 4, 10, 11, 17])
def test_measurements_that_were_kept_are_not_repeated(
    data: TrainingData, fitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_in: int
) -> None:
    """Twenty: at ten timesteps before the training, and at ten after it."""
    monkeypatch.setattr(Pace, "due", True)
    plain, measured = DdpmPrior.loss, list[bool]()

    def loss(self: DdpmPrior, *batch: Any) -> Any:
        if not torch.is_grad_enabled():
            measured.append(True)
            if len(measured) == killed_in:
                raise KilledError
        return plain(self, *batch)

    monkeypatch.setattr(DdpmPrior, "loss", loss)
    ctx, made = Context(checkpoint_file=tmp_path / "unfinished.safetensors"), tmp_path / "fitted"
    made.mkdir()
    with pytest.raises(KilledError):
        generator().fit(data, made, ctx)
    generator().fit(data, made, ctx)
    assert len(measured) == 20 + 1
    assert files(made) == files(fitted)


def all_of_it(made: Ddpm, data: TrainingData, folder: Path) -> None:
    """Call all methods of a generator that a run calls."""
    made.fit(data, folder, Context())
    made.load(folder, data, Context())
    made.sample_block(0, 0, Context())


LARGER = "run fewer workers, or use a device with more memory"


@pytest.mark.parametrize(
    ("where", "what", "error", "told"),
    [
        (
            _ddpm_training,
            "draw_batch",
            torch.OutOfMemoryError("CUDA out of memory"),
            "a step of training generator 'ddpm'; lower its parameter 'batch' from 4 to 2",
        ),
        (
            _ddpm_training,
            "held_out_loss",
            RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
            f"training generator 'ddpm'; {LARGER}",
        ),
        (
            DdpmPrior,
            "sample",
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 8 TB"),
            "3 samples of generator 'ddpm' at once; lower its parameter 'block' from 3 to 1",
        ),
        (DdpmPrior, "from_folder", MemoryError(), f"the network of generator 'ddpm'; {LARGER}"),
    ],
    ids=["a step", "held-out images", "samples", "the network"],
)
def test_memory_that_runs_out(
    data: TrainingData,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: Any,
    what: str,
    error: Exception,
    told: str,
) -> None:
    def no_memory(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(where, what, no_memory)
    with pytest.raises(ComponentError) as caught:
        all_of_it(generator(), data, tmp_path)
    assert str(caught.value) == f"out of memory for {told}"


def test_a_damaged_checkpoint_is_a_new_start(data: TrainingData, fitted: Path, tmp_path: Path) -> None:
    kept = tmp_path / "unfinished.safetensors"
    kept.write_bytes(b"not what was written")
    generator().fit(data, tmp_path, Context(checkpoint_file=kept))
    assert not kept.exists(), "it is thrown away"
    assert files(tmp_path) == files(fitted)


@pytest.mark.parametrize(("prediction", "schedule"), VARIANTS)
def test_an_untrained_network_predicts_nothing(
    data: TrainingData, tmp_path: Path, prediction: str, schedule: str
) -> None:
    """It says 0: of the noise, or of the image, whose mean square then counts ᾱ / (1 − ᾱ) times."""
    generator(steps=1, prediction_type=prediction, beta_schedule=schedule).fit(data, tmp_path, Context())
    report = report_of(tmp_path)
    alpha_bar = (1 - BETAS[schedule]).cumprod(0)[50::100]
    mean_square = to_latents(data.train.images).square().mean().item()
    expected = 1.0 if prediction == "epsilon" else (alpha_bar / (1 - alpha_bar)).mean().item() * mean_square
    assert report["held_out_loss"]["before"] == pytest.approx(expected, rel=0.05)
    assert report["held_out_images"] == 4


def test_the_curve_is_the_mean_over_equal_spans(data: TrainingData, tmp_path: Path) -> None:
    """51 steps at two a point."""
    generator(steps=51, block_out_channels=[32], attention_levels=[], batch=1).fit(data, tmp_path, Context())
    curve = report_of(tmp_path)["training_loss"]
    assert [point["step"] for point in curve] == [*range(2, 51, 2), 51]
    assert all(0 < point["loss"] < 3 for point in curve)


@pytest.mark.parametrize(("prediction", "schedule"), VARIANTS[:2])
def test_the_held_out_loss_falls_on_real_images(tmp_path: Path, prediction: str, schedule: str) -> None:
    real = cast("ddbench.Dataset", ddbench.create("dataset", "tiny-cifar")).training()
    images = LabeledImages(real.train.images[:300, :, ::4, ::4], real.train.labels[:300], real.train.ids[:300])
    fast = {"steps": 40, "batch": 8, "learning_rate": 1e-2, "ema": 0.8}
    variant = {"prediction_type": prediction, "beta_schedule": schedule}
    generator(**fast, **variant).fit(replace(real, image_size=8, train=images), tmp_path, Context())
    loss = report_of(tmp_path)["held_out_loss"]
    assert loss["after"] < 0.8 * loss["before"]


def test_dropped_labels_teach_the_label_for_no_class_alone(data: TrainingData, tmp_path: Path) -> None:
    """Gradients reach the embedding once the last convolution has left zero, after the first step."""
    tables = []
    for steps in (1, 4):
        generator(steps=steps, label_dropout=1, ema=0).fit(data, tmp_path / str(steps), Context())
        tables.append(DdpmPrior.from_folder(tmp_path / str(steps), "cpu").network.class_embedding.weight)
    assert [len(table) for table in tables] == [4, 4]
    assert tables[0][:3].equal(tables[1][:3])
    assert not tables[0][3].equal(tables[1][3])


def test_the_architecture_is_that_of_the_parameters(data: TrainingData, tmp_path: Path) -> None:
    shape = {"block_out_channels": [32, 64, 64], "layers_per_block": 2, "attention_levels": [1], "label_dropout": 0}
    generator(**shape, class_embedding="timestep", steps=1, batch=1).fit(data, tmp_path, Context())
    config = DdpmPrior.from_folder(tmp_path, "cpu").network.config
    assert tuple(config.down_block_types) == ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D")
    assert tuple(config.up_block_types) == ("UpBlock2D", "AttnUpBlock2D", "UpBlock2D")
    assert (tuple(config.block_out_channels), config.layers_per_block) == ((32, 64, 64), 2)
    assert config.norm_num_groups == 8
    assert (config.class_embed_type, config.num_class_embeds, config.sample_size) == ("timestep", 3, 8)
