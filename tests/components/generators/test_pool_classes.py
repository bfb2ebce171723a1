"""The class names of ``pool-file``: any order of labels gives the same pool, and an order in doubt is refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from ddbench_components.datasets.tiny_imagenet import TinyImagenet
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pool_folders import DOGS, training
from safetensors.torch import save_file

import ddbench
from ddbench import ClassInfo, Context, DataError, Generator, TrainingData
from ddbench.toolkit import file_sha256, sha256_json
from tests.conftest import Cli
from tests.photographs import write_suite

PETS = training([ClassInfo(name) for name in ("cat", "dog", "café", "C", "C++")])
NAMES = PETS.class_names
IN_DOUBT = replace(PETS, ambiguous_order=True)
# Three images of the first class, two of each other one.
OWN = [4, 0, 1, 2, 3, 0, 1, 2, 3, 4, 0]


def write(path: Path, labels: Sequence[int], names: Any = None) -> Path:
    """Save a pool whose image i has the value i."""
    images = torch.arange(len(labels), dtype=torch.uint8)[:, None, None, None].expand(-1, 3, 2, 2).contiguous()
    save_file(
        {"images": images, "labels": torch.tensor(labels)},
        path,
        None if names is None else {"classes": json.dumps(names)},
    )
    return path


def pool(path: Path, data: TrainingData = PETS, classes: Sequence[str] | None = None) -> Generator:
    generator = ddbench.create("generator", "pool-file", path=path, **({"classes": classes} if classes else {}))
    assert isinstance(generator, Generator)
    generator.load(None, data, Context())
    return generator


def content(generator: Generator, classes: int = 5) -> list[list[int]]:
    """Return the values of the images of each class."""
    return [generator.sample_block(c, 0, Context()).images[:, 0, 0, 0].tolist() for c in range(classes)]


NATURAL = [[i for i, label in enumerate(OWN) if label == c] for c in range(5)]


@given(st.permutations(range(5)), st.booleans())
@settings(max_examples=30)
def test_any_order_of_labels_gives_the_same_pool(order: list[int], in_file: bool) -> None:
    """Class c has the label ``order.index(c)``, whose name says so."""
    names = [NAMES[c] for c in order]
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "pool.safetensors", [order.index(c) for c in OWN], names if in_file else None)
        for data in (PETS, IN_DOUBT):
            assert content(pool(path, data, None if in_file else names)) == NATURAL


def test_other_classes_do_not_matter(tmp_path: Path) -> None:
    path = write(tmp_path / "p.safetensors", [*OWN, 5], [*NAMES, "cow"])
    assert content(pool(path, IN_DOUBT)) == NATURAL


@pytest.mark.parametrize(
    "names", [["CAT", "Dog_", "Café"], ["cat", "dog", "cafe\u0301"], ["-Cat", "dog", "cafe\u0301"]]
)
def test_case_punctuation_and_composition_do_not_matter(tmp_path: Path, names: list[str]) -> None:
    path = write(tmp_path / "p.safetensors", [2, 0, 1], names)
    assert content(pool(path, training(PETS.classes[:3])), 3) == [[1], [2], [0]]


def test_wordnet_ids_and_imagenet_indices_are_names(tmp_path: Path) -> None:
    data = training([DOGS[2], DOGS[0], DOGS[1]])
    expected = [[1], [2], [0]]
    for names in (["n02099601", "n02115641", "n02087394"], ["207", "273", "159"]):
        assert content(pool(write(tmp_path / "p.safetensors", [0, 1, 2], names), data), 3) == expected


def test_without_names_labels_are_class_indices_unless_their_order_is_in_doubt(tmp_path: Path) -> None:
    path = write(tmp_path / "p.safetensors", OWN)
    assert content(pool(path)) == NATURAL
    with pytest.raises(DataError) as error:
        pool(path, IN_DOUBT)
    assert str(error.value) == (
        f"{path}: names no classes for its labels, and the classes of the data set could have another order there; "
        "add `classes: [NAME, …]` with the name of each of its labels in order"
    )
    dogs = write(tmp_path / "dogs.safetensors", [0, 1, 2])
    assert content(pool(dogs, training(DOGS)), 3) == [[0], [1], [2]], "labels follow the WordNet ids"
    with pytest.raises(DataError, match="names no classes for its labels"):
        pool(dogs, training([DOGS[1], DOGS[0], DOGS[2]]))


def test_the_order_of_these_data_sets_is_in_doubt(tmp_path: Path) -> None:
    in_doubt = {}
    for name in (
        "cifar10",
        "cifar100",
        "tiny-cifar",
        "imagenette",
        "imagewoof",
        "imageidc",
        "imagenet100",
        "tiny-imagenet",
    ):
        dataset: Any = ddbench.create("dataset", name)
        path = write(tmp_path / "p.safetensors", range(len(dataset.classes)))
        try:
            ddbench.create("generator", "pool-file", path=path).available(dataset)  # type: ignore[attr-defined]
            in_doubt[name] = False
        except DataError:
            in_doubt[name] = True
    assert [name for name, doubt in in_doubt.items() if doubt] == [
        "imagewoof",
        "imageidc",
        "imagenet100",
        "tiny-imagenet",
    ]
    assert TinyImagenet().ambiguous_order


MISTAKES: dict[str, Any] = {
    "no name for class 'C++'; name the classes by class name ('cat')": ["cat", "dog", "café", "C", "cow"],
    "'cat' and 'cat' both name class 'cat'; remove one": ["cat", "dog", "café", "C", "C++", "cat"],
    "'dog' and 'Dog ' both name class 'dog'; remove one": ["cat", "dog", "café", "C", "C++", "Dog "],
    "no name for class 'cat'": ["0", "1", "2", "3", "4"],
    "no name for class 'C++'; name": ["cat", "dog", "café", "C"],
    "has metadata 'classes' that is not a JSON list of strings; correct it": {"cat": 0},
    "has metadata 'classes' that is not a JSON list of strings": [],
    "has metadata 'classes' that is not a JSON list": [0, 1, 2, 3, 4],
    "no name for class 'cat'; name": ["9" * 5000, "dog", "café", "C", "C++"],
}


@pytest.mark.parametrize("message", MISTAKES)
def test_names_that_do_not_fit_are_told(tmp_path: Path, message: str) -> None:
    path = write(tmp_path / "p.safetensors", OWN, MISTAKES[message])
    with pytest.raises(DataError) as error:
        pool(path)
    assert str(error.value).startswith(f"{path}: {message}")
    assert "\n" not in str(error.value)


def test_metadata_of_any_text_and_file_name_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "pool", OWN[::-1], NAMES[::-1])
    assert content(pool(path, IN_DOUBT)) == [
        [i for i, label in enumerate(OWN[::-1]) if label == 4 - c] for c in range(5)
    ]
    images = {"images": torch.zeros(1, 3, 2, 2, dtype=torch.uint8), "labels": torch.tensor([0])}
    save_file(images, path, {"classes": "[" * 100_000})
    with pytest.raises(DataError, match="has metadata 'classes' that is not a JSON list of strings"):
        pool(path)


def test_a_parameter_and_metadata_must_agree(tmp_path: Path) -> None:
    path = write(tmp_path / "p.safetensors", OWN, NAMES)
    assert content(pool(path, classes=NAMES)) == NATURAL
    with pytest.raises(DataError, match="other class names than the parameter 'classes'; remove"):
        pool(path, classes=NAMES[::-1])


def test_names_enter_the_fingerprint(tmp_path: Path) -> None:
    """So results of a version that ignored names in the metadata are not used."""
    path = write(tmp_path / "named.safetensors", OWN, NAMES)
    named = ddbench.create("generator", "pool-file", path=path).fingerprint()
    assert named == sha256_json([file_sha256(path), list(NAMES)])
    path = write(tmp_path / "p.safetensors", OWN)
    assert pool(path).fingerprint() == file_sha256(path)
    fingerprints = {str(pool(path, classes=names).fingerprint()) for names in (None, NAMES, NAMES[::-1])}
    assert len(fingerprints) == 3
    assert pool(path, classes=NAMES).params.keyed() == {}


CHOICES = """\
generators: {pool: {use: pool-file, path: pool.safetensors}}
methods: {Mine: {generator: pool, selector: first}}
"""


def test_a_suite_with_a_folder_of_images_is_refused_before_it_runs(tmp_path: Path, cli: Cli) -> None:
    for split in ("train", "val"):
        for place, name in enumerate(("cat", "dog")):
            folder = tmp_path / "photos" / split / name
            folder.mkdir(parents=True)
            Image.fromarray(np.full((8, 8, 3), 40 * place + len(split), np.uint8)).save(folder / "0.png")
    images = torch.arange(2, dtype=torch.uint8)[:, None, None, None].expand(-1, 3, 8, 8).contiguous()
    save_file({"images": images, "labels": torch.tensor([0, 1])}, tmp_path / "pool.safetensors")
    suite = tmp_path / "mine.yaml"
    write_suite(suite, 8, CHOICES)
    ended = cli("plan", "mine.yaml")
    assert ended.returncode == 2
    assert "pool.safetensors: names no classes for its labels" in ended.stderr
    assert ended.stderr.count("\n") == 1
    write_suite(suite, 8, CHOICES.replace("pool.safetensors}", "pool.safetensors, classes: [dog, cat]}"))
    assert cli("plan", "mine.yaml").returncode == 0
