"""A set that is written is read back bit for bit, by other programs too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open
from torchvision.datasets import ImageFolder

from ddbench import ClassInfo, DistilledSet
from ddbench.api import SoftLabels
from ddbench.errors import DdbenchError
from ddbench.sets import FORMATS

# The first three classes of ImageWoof in the order of Minimax's class file, which is not that of their WordNet ids.
CLASSES = (
    ClassInfo("Australian terrier", "n02096294", 193),
    ClassInfo("Border terrier", "n02093754", 182),
    ClassInfo("Samoyed", "n02111889", 258),
)
LABELS = (0, 0, 1, 1, 2, 2)
IPC = 2


def distilled(*, floats: bool = False) -> DistilledSet:
    rng = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (6, 3, 4, 4), dtype=torch.uint8, generator=rng)
    logits = torch.randn((6, 3), generator=rng)
    ids = tuple(f"{label}/é{i}" for i, label in enumerate(LABELS))
    made = images.float() / 255 if floats else images
    return DistilledSet(made, torch.tensor(LABELS), ids, logits * 2, SoftLabels(logits, 1.5), ipc=IPC)


def pixels(file: Path) -> torch.Tensor:
    return torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1)


def written(name: str, folder: Path) -> tuple[DistilledSet, list[Path]]:
    """Write a set in a format. Return it and the file of each image."""
    folder.mkdir(exist_ok=True)
    data = distilled()
    return data, [folder / file for file in FORMATS[name](data, CLASSES, "teacher: timm", folder)]


def test_equal_sets_have_equal_bytes_in_tensor_files(tmp_path: Path) -> None:
    """Importing generators identify a file by its bytes."""
    files = [written("safetensors", tmp_path / str(i))[1][0] for i in range(3)]
    assert len({file.read_bytes() for file in files}) == 1


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"safetensors"}))
def test_images_and_labels_of_folders_are_exact(name: str, tmp_path: Path) -> None:
    data, files = written(name, tmp_path)
    assert torch.stack([pixels(file) for file in files]).equal(data.images)
    root = files[0].parents[1]
    lines = [json.loads(line) for line in (root / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [root / line["file_name"] for line in lines] == files
    assert tuple(line["label"] for line in lines) == LABELS
    assert tuple(line["id"] for line in lines) == data.sample_ids
    assert data.soft is not None
    assert torch.tensor([line["soft_logits"] for line in lines]).equal(data.soft.logits)
    assert [path.name for path in sorted(root.iterdir()) if path.is_dir()] == sorted({f.parent.name for f in files})


def test_safetensors_hold_everything(tmp_path: Path) -> None:
    data, _ = written("safetensors", tmp_path)
    assert data.latents is not None
    assert data.soft is not None
    with safe_open(tmp_path / "set.safetensors", "pt") as file:
        assert set(file.keys()) == {"images", "labels", "latents", "soft_logits"}
        for key, tensor in (("images", data.images), ("labels", data.labels), ("latents", data.latents)):
            assert file.get_tensor(key).equal(tensor)
        assert file.get_tensor("soft_logits").equal(data.soft.logits)
        said = {key: json.loads(value) for key, value in file.metadata().items()}
    names = [info.name for info in CLASSES]
    assert said == {"classes": names, "ids": list(data.sample_ids), "teacher": "teacher: timm", "tau": 1.5}


def test_float_images_keep_their_values_and_say_how_they_are_normalised(tmp_path: Path) -> None:
    data = distilled(floats=True)
    FORMATS["safetensors"](data, CLASSES, None, tmp_path)
    with safe_open(tmp_path / "set.safetensors", "pt") as file:
        assert file.get_tensor("images").equal(data.images)
        said = file.metadata()
    assert (said["mean"], said["std"]) == ("[0, 0, 0]", "[1, 1, 1]")
    assert "teacher" not in said


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"safetensors"}))
def test_png_files_refuse_float_images(name: str, tmp_path: Path) -> None:
    with pytest.raises(DdbenchError, match="the images are float32, which PNG files would round; use --format safe"):
        FORMATS[name](distilled(floats=True), CLASSES, None, tmp_path)
    assert list(tmp_path.iterdir()) == []


class Minimax(ImageFolder):
    """A reader with the labels of a class file, as Minimax's code has them."""

    def find_classes(self, directory: str | Path) -> tuple[list[str], dict[str, int]]:
        names = (Path(directory) / "classes.txt").read_text().split()
        return names, {name: label for label, name in enumerate(names)}


@pytest.mark.parametrize(("name", "reader"), [("minimax", Minimax), ("rded", ImageFolder), ("ddranking", ImageFolder)])
def test_other_programs_read_the_labels_of_the_set(
    name: str, reader: Callable[[Path], ImageFolder], tmp_path: Path
) -> None:
    data, files = written(name, tmp_path)
    found = reader(tmp_path)
    assert len(found) == len(data)
    for (path, _), (image, label) in zip(found.samples, found, strict=True):
        at = files.index(Path(path))
        assert label == LABELS[at]
        assert torch.from_numpy(np.array(image)).permute(2, 0, 1).equal(data.images[at])


def test_folders_of_minimax_are_wordnet_ids_and_sorted_they_are_in_another_order(tmp_path: Path) -> None:
    written("minimax", tmp_path)
    assert (tmp_path / "classes.txt").read_text() == "n02096294\nn02093754\nn02111889\n"
    assert ImageFolder(tmp_path).classes == ["n02093754", "n02096294", "n02111889"]


def test_rdeds_reader_finds_its_folders_and_so_many_files(tmp_path: Path) -> None:
    """RDED opens the first files in the folder of each label, whose name has five digits."""
    _, files = written("rded", tmp_path)
    assert [file.relative_to(tmp_path).as_posix() for file in files[1:3]] == [
        "00000/class00000_id00001.png",
        "00001/class00001_id00000.png",
    ]
    assert all(len(list((tmp_path / str(label).zfill(5)).iterdir())) == IPC for label in range(len(CLASSES)))
