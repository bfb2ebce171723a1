"""The generator that comes with ddbench: what it is, what it makes, and whom it does not serve."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from ddbench_components.generators import dit_nano
from ddbench_components.generators.dit_nano import DitNano
from ddbench_components.recipes.dit_nano import recipe as _recipe
from ddbench_components.recipes.dit_nano.card import card
from safetensors import safe_open

import ddbench
from ddbench import ClassInfo, Context, DataError, Dataset, Generator, LabeledImages, TrainingData

FOLDER = Path(dit_nano.__file__).with_name("_dit_nano")
MOST_BYTES = 12_000_000


@pytest.fixture(scope="module")
def few() -> TrainingData:
    """Two real images of each of CIFAR-10's classes."""
    data = cast("Dataset", ddbench.create("dataset", "tiny-cifar")).training()
    kept = torch.cat([(data.train.labels == c).nonzero()[:2, 0] for c in range(10)])
    train = LabeledImages(data.train.images[kept], data.train.labels[kept], tuple(data.train.ids[i] for i in kept))
    return TrainingData(data.name, data.classes, data.image_size, data.mean, data.std, train)


def loaded(data: TrainingData, **params: Any) -> DitNano:
    generator = cast("DitNano", ddbench.create("generator", "dit-nano", **{"sampling_steps": 3, "block": 2, **params}))
    generator.load(None, data, Context())
    return generator


def test_its_files_are_small_and_of_half_precision() -> None:
    weights = list(FOLDER.rglob("*.safetensors"))
    assert sum(path.stat().st_size for path in weights) <= MOST_BYTES
    assert {path.parent.name for path in weights} == {"transformer", "vae"}
    for path in weights:
        with safe_open(path, framework="pt") as file:
            assert {file.get_slice(name).get_dtype() for name in file.keys()} == {"F16"}  # noqa: SIM118


def test_the_shape_of_its_latents_is_known_before_it_is_loaded(few: TrainingData) -> None:
    generator = loaded(few)
    shape = cast("Generator", ddbench.create("generator", "dit-nano")).latent_shape(
        cast("Dataset", ddbench.create("dataset", "tiny-cifar"))
    )
    assert shape == generator.sample_block(0, 0, Context()).latents.shape[1:]  # type: ignore[union-attr]


def test_its_files_are_of_the_recipe() -> None:
    """A retrained pipeline has the same shapes as the shipped one."""
    config = json.loads((FOLDER / "transformer" / "config.json").read_text())
    recipe = _recipe.RECIPE
    assert config["num_layers"] == recipe.transformer.layers
    assert config["num_attention_heads"] == recipe.transformer.heads
    assert config["in_channels"] == config["out_channels"] == recipe.autoencoder.latent_channels
    channels = json.loads((FOLDER / "vae" / "config.json").read_text())["block_out_channels"]
    assert tuple(channels) == recipe.autoencoder.channels


def test_its_card_tells_what_was_measured() -> None:
    """Of the recipe as it is, with a judge that agrees with three samples in five at least."""
    about = json.loads((FOLDER / "figures.json").read_text())
    assert (FOLDER / "README.md").read_text() == card(about)
    assert about["recipe"] == json.loads(json.dumps(asdict(_recipe.RECIPE)))
    assert about["bytes"] == sum(path.stat().st_size for path in FOLDER.rglob("*.safetensors"))
    assert about["figures"]["real"]["agreement"] >= 80, "a good judge"
    (shown,) = (row for row in about["figures"]["samples"] if row["guidance"] == DitNano().params.guidance)
    assert shown["agreement"] >= 60


def test_it_knows_the_classes_of_cifar10() -> None:
    named = json.loads((FOLDER / "model_index.json").read_text())["id2label"]
    assert [named[str(i)] for i in range(10)] == [c.name for c in ddbench.create("dataset", "cifar10").classes]  # type: ignore[attr-defined]


def test_other_classes_are_told_in_one_line(few: TrainingData) -> None:
    data = TrainingData("mine", (*few.classes[:9], ClassInfo("wug")), 32, few.mean, few.std, few.train)
    with pytest.raises(DataError, match=r"model_index\.json: no name for class 'wug'; name the classes by class name"):
        loaded(data)


def test_classes_in_another_order_are_found_by_name(few: TrainingData) -> None:
    """A folder of images has its classes in alphabetical order, and some of them only."""
    own = replace(few, classes=(few.classes[7], few.classes[2]), ambiguous_order=True)
    assert prior_labels(own) == [7, 2]


def prior_labels(data: TrainingData, **params: Any) -> list[int]:
    generator: Any = ddbench.create("generator", "dit-nano", **params)
    generator.load(None, data, Context())
    labels: list[int] = generator.prior.labels.tolist()
    return labels


def test_samples_are_a_bit_identical_prefix_of_more(few: TrainingData) -> None:
    generator, ctx = loaded(few), Context(seed=3)
    five = generator.sample(4, 0, 5, ctx)
    three = loaded(few).sample(4, 0, 3, ctx)
    assert three.images.equal(five.images[:3])
    assert three.ids == five.ids[:3]
    assert five.images.shape == (5, 3, 32, 32)
    assert len({image.numpy().tobytes() for image in five.images}) == 5


MODES = {"modes": 2, "stop": 0}


@pytest.mark.parametrize("name", ["minimax", "inversion-matching", "mode-guidance"])
def test_the_methods_of_dit_xl2_run_on_it(name: str, few: TrainingData, tmp_path: Path) -> None:
    own: dict[str, Any] = {"epochs": 1, "batch_size": 4, "stop_after": 2} if name != "mode-guidance" else MODES
    params = {"model": "ddbench/dit-nano", "classes": "dataset", "scheduler": "ddim", "sampling_steps": 2, "block": 2}
    generator = cast("Any", ddbench.create("generator", name, **params, **own))
    generator.fit(few, tmp_path, Context())
    generator.load(tmp_path, few, Context())
    assert generator.sample_block(3, 0, Context()).images.shape == (2, 3, 32, 32)
