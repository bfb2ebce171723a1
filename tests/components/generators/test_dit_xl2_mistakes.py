"""Pipelines and names that ``dit-xl2`` cannot use."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    FlowMatchEulerDiscreteScheduler,
)
from dit_xl2_scene import (
    complaint,
    generator,
    load,
    prior_of,
    training_data,
    transformer,
)
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id
from packaging.version import Version

from ddbench import Context, DataError

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize(
    ("scheduler", "said"),
    [
        (
            DDIMScheduler(prediction_type="v_prediction"),
            "belongs to a network that predicts 'v_prediction', not the noise",
        ),
        (FlowMatchEulerDiscreteScheduler(), "is a FlowMatchEulerDiscreteScheduler without the betas of a diffusion; "),
    ],
)
@pytest.mark.filterwarnings("ignore:The config attributes")
def test_a_pipeline_that_predicts_no_noise(scheduler: Any, said: str, copied: Path) -> None:
    """Its samples would be wrong, and whatever is trained or refined by its error of the noise, without a word."""
    shutil.rmtree(copied / "scheduler")
    scheduler.save_pretrained(copied / "scheduler")
    assert complaint(lambda: load(copied)).startswith(f"{copied}/scheduler: {said}")


def test_more_steps_than_the_scheduler_has(copied: Path) -> None:
    DDIMScheduler(num_train_timesteps=20).save_pretrained(copied / "scheduler")
    assert len(load(copied, sampling_steps=20).sample_block(0, 0, Context())) == 3
    known: Any = SimpleNamespace(classes=training_data().classes, info=SimpleNamespace(name="own"), image_size=16)
    early = generator(model=str(copied), sampling_steps=21)
    for do in (lambda: load(copied, sampling_steps=21), lambda: early.check(known)):
        assert complaint(do) == (
            f"{copied}/scheduler: generator 'dit-xl2' cannot sample in 21 steps: the scheduler has 20 timesteps; "
            "lower the parameter 'sampling_steps'"
        )


def test_a_wrong_number_of_classes(copied: Path) -> None:
    own = transformer(classes=10)
    own.save_pretrained(copied / "transformer")
    said = complaint(lambda: load(copied))
    assert said.startswith(
        f"{copied}/transformer: generator 'dit-xl2': the transformer knows 10 classes, not the 1000 of"
    )
    assert "not the 3 of the data set" in complaint(lambda: load(copied, classes="dataset"))


def test_a_vae_of_another_width(hub: Path, tmp_path: Path) -> None:
    AutoencoderKL(latent_channels=16, block_out_channels=(4,), norm_num_groups=4).save_pretrained(tmp_path / "vae")
    assert complaint(lambda: load(hub, vae=str(tmp_path / "vae"))) == (
        f"{tmp_path}/vae: generator 'dit-xl2': the VAE has latents of 16 channels, and the transformer takes 4; "
        "name the VAE that the transformer was trained with in the parameter 'vae'"
    )


def test_a_transformer_of_the_data_sets_own_classes(copied: Path) -> None:
    transformer(classes=3).save_pretrained(copied / "transformer")
    loaded = generator(model=str(copied), classes="dataset")
    loaded.load(None, training_data((None, None, None)), Context())
    assert prior_of(loaded).labels.tolist() == [0, 1, 2]
    assert len(loaded.sample_block(2, 0, Context())) == 3


def named(folder: Path, names: Sequence[str]) -> Path:
    """Give a pipeline a transformer of as many classes, and their names."""
    transformer(classes=len(names)).save_pretrained(folder / "transformer")
    index = folder / "model_index.json"
    index.write_text(json.dumps({**json.loads(index.read_text()), "id2label": dict(enumerate(names))}))
    return index


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["class 0", "class 1", "class 2"], [0, 1, 2]),
        (["Class 1", "class_2", "CLASS 0"], [2, 0, 1]),
        (["wug", "n2", "n1", "n0"], [3, 2, 1]),
    ],
)
def test_labels_of_a_pipeline_are_found_by_name(copied: Path, names: list[str], labels: list[int]) -> None:
    named(copied, names)
    own = generator(model=str(copied), classes="dataset")
    for data in (training_data(), replace(training_data(), ambiguous_order=True)):
        own.load(None, data, Context())
        assert prior_of(own).labels.tolist() == labels


def test_names_of_a_pipeline_that_do_not_fit_are_told(copied: Path) -> None:
    index = named(copied, ["class 0", "class 1", "wug"])
    own = generator(model=str(copied), classes="dataset")
    with pytest.raises(
        DataError, match=r"model_index\.json: no name for class 'class 2'; name the classes by class name"
    ):
        own.load(None, training_data(), Context())
    with pytest.raises(DataError, match=r"model_index\.json: has other class names than the parameter 'classes'"):
        generator(model=str(copied), classes=["a", "b", "c"]).load(None, training_data(), Context())
    index.write_text("[]")
    assert f"{index}: is not an index of a pipeline" in complaint(lambda: own.load(None, training_data(), Context()))


def test_labels_without_names_are_refused_if_their_order_is_in_doubt(copied: Path) -> None:
    transformer(classes=3).save_pretrained(copied / "transformer")
    in_doubt = replace(training_data(), ambiguous_order=True)
    with pytest.raises(DataError, match=r"names no classes for its labels.*; add `classes: \[NAME, …\]`"):
        generator(model=str(copied), classes="dataset").load(None, in_doubt, Context())
    listed = generator(model=str(copied), classes=["class 2", "class 0", "class 1"])
    listed.load(None, in_doubt, Context())
    assert prior_of(listed).labels.tolist() == [1, 2, 0]


def test_a_data_set_without_imagenet_indices(hub: Path) -> None:
    said = complaint(lambda: generator(model=str(hub)).load(None, training_data((258, None, 7)), Context()))
    assert "class 'class 1' has no index in ImageNet-1k" in said


@pytest.mark.parametrize("value", ["DiT-XL-2-256", "a/b/c", "", "models/"])
def test_what_is_neither_a_name_nor_a_folder(value: str) -> None:
    assert "parameter 'model' is" in complaint(lambda: generator(model=value))
    assert "a name on the Hugging Face Hub (owner/name), or a folder" in complaint(lambda: generator(transformer=value))


NAMES = ["facebook/DiT-XL-2-256", "a/b", "a_/_b", "a.b/c-d_e", f"a/{'b' * 96}"]
NO_NAMES = ["runs/dit--v2", "me/dit.git", "me/dit..2", "-a/b", "a-/b", "a/b.", "a/b c", "a/" + 97 * "b"]


ASCII_ONLY = pytest.param(
    "mé/dit",
    marks=pytest.mark.skipif(
        Version(version("huggingface_hub")) < Version("1.32"), reason="huggingface_hub allows only ASCII from 1.32 on"
    ),
)


@pytest.mark.parametrize("name", [*NAMES, *NO_NAMES, ASCII_ONLY])
def test_names_are_those_that_the_hub_has(name: str) -> None:
    """As its own library allows them, which raises later of others."""
    try:
        validate_repo_id(name)
    except HFValidationError:
        assert "a name on the Hugging Face Hub (owner/name), or a folder" in complaint(lambda: generator(model=name))
    else:
        assert f"no transformer of {name}: " in (generator(model=name).missing() or "")


def test_a_folder_that_is_written_as_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "checkpoints" / "dit").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    said = generator(model="checkpoints/dit").missing() or ""
    assert said.endswith("; run `ddbench fetch SUITE`, or write './checkpoints/dit' for the folder of this name")
