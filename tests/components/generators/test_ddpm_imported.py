"""Imported models of ``ddpm``, and parameters that do not fit."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from ddbench_components.generators.ddpm import Ddpm
from ddpm_scene import assert_same, generator, lively
from diffusers import DDPMPipeline, DDPMScheduler, UNet2DModel

from ddbench import ClassInfo, ComponentError, Context, DataError, TrainingData

# models that were trained elsewhere


def unet(**config: Any) -> UNet2DModel:
    blocks = {"down_block_types": ("DownBlock2D",), "up_block_types": ("UpBlock2D",), "block_out_channels": (32,)}
    defaults = {**blocks, "sample_size": 8, "layers_per_block": 1, "norm_num_groups": 8, "num_class_embeds": 3}
    with torch.random.fork_rng(devices=[]):
        return lively(UNet2DModel(**{**defaults, **config}))


def saved(folder: Path, network: UNet2DModel | None = None, **schedule: Any) -> Path:
    """Save a pipeline with diffusers; its scheduler is DDPM's with diffusers' defaults."""
    DDPMPipeline(network or unet(), DDPMScheduler(**schedule)).save_pretrained(folder)
    return folder


def take_over(model: Path, data: TrainingData, out_dir: Path, **params: Any) -> Ddpm:
    loaded = generator(model=model, **params)
    loaded.fit(data, out_dir, Context())
    loaded.load(out_dir, data, Context())
    return loaded


@pytest.mark.parametrize("embedding", [None, "timestep"])
def test_an_imported_model_is_sampled_as_its_scheduler_says(
    data: TrainingData, tmp_path: Path, embedding: str | None
) -> None:
    """Steps of diffusers' default spacing begin at 750 of 1000."""
    network = unet(class_embed_type=embedding)
    model = saved(tmp_path / "model", network, prediction_type="sample", beta_schedule="squaredcos_cap_v2")
    loaded = take_over(model, data, tmp_path / "fitted")
    assert not (tmp_path / "fitted" / "training.json").exists()
    ctx, scheduler = Context(seed=4), DDPMScheduler.from_pretrained(model / "scheduler")
    streams = [ctx.torch_rng("noise", 2, i) for i in range(3)]
    x = torch.stack([torch.randn(3, 8, 8, generator=g) for g in streams])
    scheduler.set_timesteps(4)
    assert scheduler.timesteps.tolist() == [750, 500, 250, 0]
    with torch.no_grad():
        for t in scheduler.timesteps:
            said = network.eval()(x, t, class_labels=torch.tensor([2, 2, 2])).sample
            x = scheduler.step(said, t, x, generator=streams).prev_sample
    latents = loaded.sample_block(2, 0, ctx).latents
    assert latents is not None
    torch.testing.assert_close(latents, x)


def test_what_was_trained_here_can_be_imported(data: TrainingData, fitted: Path, tmp_path: Path) -> None:
    own = generator()
    own.load(fitted, data, Context())
    assert_same(take_over(fitted, data, tmp_path).sample_block(0, 0, Context()), own.sample_block(0, 0, Context()))


NAMED = [("c", "a", "b"), ("a", "b", "c"), ("wug", "b", "c", "a")]


@pytest.mark.parametrize("spare", [0, 1], ids=["classes alone", "a label for no class"])
@pytest.mark.parametrize("names", NAMED)
def test_labels_are_found_by_name(data: TrainingData, tmp_path: Path, names: tuple[str, ...], spare: int) -> None:
    """A sample of a class is that of a model whose table has the same rows in the order of the classes."""
    network = unet(num_class_embeds=len(names) + spare)
    in_doubt = replace(data, classes=tuple(map(ClassInfo, "abc")), ambiguous_order=True)
    params = {"guidance": 1 + spare}
    own = take_over(saved(tmp_path / "model", network), in_doubt, tmp_path / "own", classes=names, **params)
    rows = [names.index(name) for name in "abc"] + [len(names)] * spare
    natural = unet(num_class_embeds=len(rows))
    natural.load_state_dict({**network.state_dict(), "class_embedding.weight": network.class_embedding.weight[rows]})
    expected = take_over(saved(tmp_path / "natural", natural), data, tmp_path / "fitted", **params)
    for c in range(3):
        assert_same(own.sample_block(c, 0, Context()), expected.sample_block(c, 0, Context()))


def test_labels_without_names_are_refused_if_their_order_is_in_doubt(data: TrainingData, tmp_path: Path) -> None:
    model = saved(tmp_path / "model")
    with pytest.raises(DataError, match=r"model: names no classes for its labels.*; add `classes: \[NAME, …\]`"):
        take_over(model, replace(data, ambiguous_order=True), tmp_path / "fitted")
    names = [c.name for c in data.classes][::-1]
    assert generator(model=model, classes=names).fingerprint() != generator(model=model).fingerprint()
    with pytest.raises(ComponentError, match="embeds its labels without a table, so they cannot be reordered"):
        take_over(saved(tmp_path / "other", unet(class_embed_type="timestep")), data, tmp_path / "no", classes=names)
    with pytest.raises(ComponentError, match="classes names the labels of a model, and no model is given"):
        generator(classes=names)


def test_a_model_is_known_by_its_content(tmp_path: Path) -> None:
    model = saved(tmp_path / "model")
    shutil.copytree(model, tmp_path / "copy")
    before = generator(model=model).fingerprint()
    assert generator(model=tmp_path / "copy").fingerprint() == before
    assert generator(model=model).params.keyed() == generator().params.keyed()
    assert generator().fingerprint() is None
    config = model / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text().replace("epsilon", "sample"))
    assert generator(model=model).fingerprint() != before


@pytest.mark.parametrize(
    "name", ["unet/config.json", "unet/diffusion_pytorch_model.safetensors", "scheduler/scheduler_config.json"]
)
def test_a_missing_file_is_named_before_anything_runs(tmp_path: Path, name: str) -> None:
    model = saved(tmp_path / "model")
    (model / name).unlink()
    with pytest.raises(ComponentError, match=f"model: generator 'ddpm' finds no {name}; give the parameter 'model'"):
        generator(model=model).fingerprint()


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="nowhere: there is no such folder; give the parameter 'model' a folder"):
        generator(model=tmp_path / "nowhere").fingerprint()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("unet/config.json", "unet: cannot be loaded as weights of a UNet2DModel"),
        ("unet/diffusion_pytorch_model.safetensors", "unet: cannot be loaded as weights of a UNet2DModel"),
        ("scheduler/scheduler_config.json", "scheduler: cannot be loaded as"),
    ],
)
def test_half_a_file_is_named(data: TrainingData, tmp_path: Path, name: str, message: str) -> None:
    path = saved(tmp_path / "model") / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ComponentError, match=message) as error:
        take_over(tmp_path / "model", data, tmp_path / "fitted")
    assert "\n" not in str(error.value)


def test_weights_of_another_network_are_refused(data: TrainingData, tmp_path: Path) -> None:
    model, other = saved(tmp_path / "model"), saved(tmp_path / "other", unet(layers_per_block=2))
    name = "unet/diffusion_pytorch_model.safetensors"
    shutil.copy(model / name, tmp_path / "kept")
    shutil.copy(other / name, model / name)
    with pytest.raises(ComponentError, match="has unknown weights 'down_blocks"):
        take_over(model, data, tmp_path / "fitted")
    shutil.copy(tmp_path / "kept", other / name)
    with pytest.raises(ComponentError, match="has no weights 'down_blocks"):
        take_over(other, data, tmp_path / "fitted")


MISFITS: dict[str, tuple[Callable[[], UNet2DModel], dict[str, Any], dict[str, Any]]] = {
    "the U-Net is for images of 32 px, not 8 px; train": (lambda: unet(sample_size=32), {}, {}),
    "the U-Net knows 10 labels, and 'noise' has 3 classes": (lambda: unet(num_class_embeds=10), {}, {}),
    "the U-Net knows no labels, and 'noise' has 3 classes": (lambda: unet(num_class_embeds=None), {}, {}),
    "the U-Net maps 3 channels to 6, not 3 to 3": (lambda: unet(out_channels=6), {}, {}),
    "has no label for no class, which guidance needs": (unet, {}, {"guidance": 2.0}),
    "prediction type 'v_prediction'; known": (unet, {"prediction_type": "v_prediction"}, {}),
    "50 sampling steps are more than the scheduler's 20": (unet, {"num_train_timesteps": 20}, {"sampling_steps": 50}),
}


@pytest.mark.parametrize("message", MISFITS)
def test_a_model_that_does_not_fit(data: TrainingData, tmp_path: Path, message: str) -> None:
    network, schedule, params = MISFITS[message]
    model = saved(tmp_path / "model", network(), **schedule)
    with pytest.raises(ComponentError, match=f"model: generator 'ddpm': .*{message}"):
        take_over(model, data, tmp_path / "fitted", **params)
    assert not (tmp_path / "fitted").exists()


# mistakes in parameters


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"guidance": 2.0, "label_dropout": 0}, "guidance other than 1 needs a label_dropout above 0"),
        ({"attention_levels": [2]}, "attention_levels names a level that block_out_channels does not have"),
        ({"block_out_channels": [48]}, "'block_out_channels.0' is 48: input should be a multiple of 32"),
    ],
)
def test_parameters_that_do_not_fit_each_other(params: dict[str, Any], message: str) -> None:
    with pytest.raises(ComponentError, match=message):
        generator(**params)


def test_an_image_that_cannot_be_halved(data: TrainingData, tmp_path: Path) -> None:
    with pytest.raises(ComponentError, match="cannot halve images of 8 px 5 times; give fewer levels"):
        generator(block_out_channels=[32] * 6).fit(data, tmp_path, Context())
