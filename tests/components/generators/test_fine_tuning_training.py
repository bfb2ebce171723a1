"""Fits of fine-tuned generators: resuming, reports, precision and mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from ddbench_components.generators._finetune import fine_tuning as _fine_tuning
from ddbench_components.generators._finetune.adapter import ADAPTER
from diffusers import DiTTransformer2DModel
from fine_tuning_scene import complaint, fitted, generator
from small_pipelines import real_dataset, real_images
from torch import nn
from torch.nn.modules.module import register_module_forward_pre_hook

import ddbench
from ddbench import Context
from ddbench.toolkit.kept_parts import Pace


class KilledError(Exception):
    """The machine went away."""


@pytest.mark.parametrize(("name", "params"), [("minimax", {}), ("inversion-matching", {"minimax": True})])
def test_a_fit_that_is_killed_goes_on_with_the_same_bits(
    name: str, params: dict[str, Any], pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = fitted(name, pipeline, tmp_path / "whole", **params)
    monkeypatch.setattr(Pace, "due", True)

    def kill(done: int, total: int) -> None:
        if (done, total) == (5, 8):  # steps, after images
            raise KilledError

    kept = tmp_path / "unfinished.safetensors"
    with pytest.raises(KilledError):
        fitted(name, pipeline, tmp_path / "killed", Context(checkpoint_file=kept, progress=kill), **params)
    assert kept.is_file()
    steps: list[int] = []
    again = Context(checkpoint_file=kept, progress=lambda done, total: steps.append(done) if total == 8 else None)
    resumed = fitted(name, pipeline, tmp_path / "resumed", again, **params)
    assert steps == [6, 7, 8]
    assert set(resumed) == set(whole)
    assert all(torch.equal(value, whole[name]) for name, value in resumed.items())
    assert (tmp_path / "whole" / "training.json").read_text() == (tmp_path / "resumed" / "training.json").read_text()


def test_samples_are_those_of_the_changed_transformer(pipeline: Path, tmp_path: Path) -> None:
    kept = fitted("minimax", pipeline, tmp_path / "fit")
    tuned, plain = generator("minimax", pipeline), ddbench.create("generator", "dit-xl2", **_sampling(pipeline))
    data = real_images()
    tuned.load(tmp_path / "fit", data, Context())
    plain.load(None, data, Context())
    ours, theirs = (cast("Any", g).sample_block(1, 0, Context()) for g in (tuned, plain))
    assert not ours.images.equal(theirs.images)
    network = cast("Any", tuned.prior).network
    assert all(torch.equal(dict(network.named_parameters())[name], value) for name, value in kept.items())
    assert not any(p.requires_grad for p in network.parameters())
    frozen = {n: p for n, p in network.named_parameters() if n not in kept}
    original = dict(cast("Any", plain.prior).network.named_parameters())  # type: ignore[attr-defined]
    assert frozen
    assert all(torch.equal(p, original[name]) for name, p in frozen.items())


def _sampling(pipeline: Path) -> dict[str, Any]:
    return {"model": str(pipeline), "classes": "dataset", "sampling_steps": 2, "block": 3}


def test_training_is_told(pipeline: Path, tmp_path: Path) -> None:
    fitted("minimax", pipeline, tmp_path / "fit", stop_after=7)
    told = json.loads((tmp_path / "fit" / "training.json").read_text())
    assert told["steps"] == 7 == len(told["curve"])
    last = told["curve"][-1]
    assert {"noise", "variance", "representativeness", "diversity"} < set(last)
    assert last["gradient_of_diversity"] > 0
    assert told["curve"][0]["gradient_of_diversity"] == 0, "nothing was remembered yet"


def test_mixed_precision_trains_float32_weights(pipeline: Path, tmp_path: Path) -> None:
    plain, mixed = (fitted("minimax", pipeline, tmp_path / p, precision=p) for p in ("float32", "bf16"))
    assert all(value.dtype == torch.float32 for value in mixed.values())
    assert any(not torch.equal(mixed[name], plain[name]) for name in plain)


@pytest.mark.parametrize("variant", ["paper", "released", "trajectory"])
def test_in_mixed_precision_whatever_is_asked_is_multiplied_in_bfloat16(
    variant: str, pipeline: Path, tmp_path: Path
) -> None:
    """By the terms of the loss too."""
    asked: list[bool] = []

    def seen(module: nn.Module, args: Any) -> None:
        if isinstance(module, DiTTransformer2DModel):
            asked.append(torch.is_autocast_enabled("cpu"))

    hook = register_module_forward_pre_hook(seen)
    try:
        fitted("inversion-matching", pipeline, tmp_path / "fit", variant=variant, precision="bf16", stop_after=2)
    finally:
        hook.remove()
    assert len(asked) >= 2 * 2
    assert all(asked)


def test_images_of_another_size(pipeline: Path, tmp_path: Path) -> None:
    made = generator("minimax", pipeline)
    said = complaint(lambda: made.fit(real_images(size=32), tmp_path, Context()))
    assert "images of 32 px have latents of 16 px, and the transformer takes latents of 8 px" in said


def test_a_loss_that_is_no_number(pipeline: Path, tmp_path: Path) -> None:
    said = complaint(lambda: fitted("minimax", pipeline, tmp_path / "fit", learning_rate=1e30))
    assert "the loss of fine-tuning is nan in step" in said
    assert "lower the parameter 'learning_rate'" in said


def test_memory_that_runs_out(pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(*args: Any, **kwargs: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(_fine_tuning.FineTuning, "_losses", no_memory)
    said = complaint(lambda: fitted("minimax", pipeline, tmp_path / "fit"))
    assert said == (
        "out of memory for a step of fine-tuning generator 'minimax'; lower its parameter 'batch_size' from 6 to 3"
    )


def test_a_step_is_never_of_more_images_than_there_are(
    pipeline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_memory(*args: Any, **kwargs: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(_fine_tuning.FineTuning, "_losses", no_memory)
    said = complaint(lambda: fitted("minimax", pipeline, tmp_path / "fit", batch_size=100))
    assert said.endswith("lower its parameter 'batch_size' from 24 to 12")


def test_a_stop_beyond_the_end_is_known_before_anything_is_encoded(pipeline: Path) -> None:
    generator("minimax", pipeline, stop_after=8).check(real_dataset())
    assert "cannot stop after 9 steps: 2 epochs of 24 images have 8; " in complaint(
        lambda: generator("minimax", pipeline, stop_after=9).check(real_dataset())
    )


def test_a_damaged_adapter(pipeline: Path, tmp_path: Path) -> None:
    fitted("minimax", pipeline, tmp_path / "fit")
    path = tmp_path / "fit" / ADAPTER
    path.write_bytes(path.read_bytes()[:-100])
    said = complaint(lambda: generator("minimax", pipeline).load(tmp_path / "fit", real_images(), Context()))
    assert str(path) in said
