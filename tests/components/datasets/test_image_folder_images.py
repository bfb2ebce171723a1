"""image-folder: the images, classes and names that are read from a folder."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from ddbench_components.datasets.image_folder import ImageFolder
from image_folders import SUITE, data
from photographs import jpeg, write
from PIL import Image

from ddbench import ClassInfo, ComponentError, create
from ddbench.plan.graph import build_graph
from ddbench.suite import load_suite

pytestmark = pytest.mark.usefixtures("empty_data_home")


def test_every_format_is_read_and_classes_are_the_folders(pets: Path) -> None:
    own = data(pets)
    assert own.missing() is None
    assert own.classes == (ClassInfo("dog"), ClassInfo("tom cat"))
    train, validation = own.train(), own.validation()
    assert train.images.shape == validation.images.shape == (12, 3, 32, 32)
    assert train.labels.tolist() == [0] * 6 + [1] * 6
    assert train.ids[:2] == ("dog/a.png", "dog/b.bmp")
    assert own.train_counts == own.validation_counts == (6, 6)
    assert validation.ids[6:] == tuple(f"tom cat/{n}" for n in ("a.png", "b.bmp", "c.webp", "d.gif", "e.tiff", "f.JPG"))
    with Image.open(pets / "train" / "dog" / "e.tiff") as image:
        width, height = image.size
        assert height < width
        rgb = image.convert("RGB").resize((32 * width // height, 32), Image.Resampling.BILINEAR)
    left = round((rgb.width - 32) / 2)
    assert train.images[4].equal(torch.from_numpy(np.array(rgb)[:, left : left + 32]).permute(2, 0, 1))


def test_sizes_and_statistics_are_imagenets_unless_given(pets: Path) -> None:
    plain = create("dataset", "image-folder", path=pets)
    assert isinstance(plain, ImageFolder)
    assert (plain.image_size, plain.mean, plain.std) == (256, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    own = data(pets, mean=[0.5, 0.4, 0.3], std=[0.1, 0.2, 0.3])
    assert (own.mean, own.std) == ((0.5, 0.4, 0.3), (0.1, 0.2, 0.3))
    with pytest.raises(ComponentError, match=r"'std\.1' is 0"):
        data(pets, std=[0.1, 0, 0.3])
    with pytest.raises(ComponentError, match="parameter 'path' is required"):
        create("dataset", "image-folder")


def test_folders_named_by_wordnet_ids_are_classes_of_imagenet(tmp_path: Path) -> None:
    names = {f"{s}/{c}/1.jpg": jpeg(i, 40, 40) for i, s in enumerate(("train", "val")) for c in ("n02088364", "other")}
    write(tmp_path / "x", names)
    assert data(tmp_path / "x").classes == (ClassInfo("beagle", "n02088364", 162), ClassInfo("other"))


def test_a_path_may_begin_with_the_home_folder(pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(pets.parent))
    assert data(Path("~/pets")).fingerprint() == data(pets).fingerprint()
    assert data(Path("~/pets")).params.keyed() == data(pets).params.keyed()
    assert "the folder ~no-such-user/pets does not exist;" in (data(Path("~no-such-user/pets")).missing() or "")


def test_names_need_not_be_utf_8(pets: Path, tmp_path: Path) -> None:
    """Bytes that are no text stand in ids and names of classes as they are written in Python."""
    before = data(pets).fingerprint()
    (pets / "train" / "dog" / "a.png").rename(pets / "train" / "dog" / os.fsdecode(b"caf\xe9.png"))
    for split in ("train", "val"):
        (pets / split / "tom cat").rename(pets / split / os.fsdecode(b"chat \xe9"))
    for path in pets.rglob("*.*"):
        os.utime(path, (1, 1))  # long ago: what is known of it is kept
    own = data(pets)
    assert own.fingerprint() == data(pets).fingerprint() != before
    assert own.classes == (ClassInfo("chat \\xe9"), ClassInfo("dog"))
    assert own.train().ids[5:8] == ("chat \\xe9/f.JPG", "dog/b.bmp", "dog/c.webp")
    assert own.train().ids[-1] == "dog/f.JPG"
    assert "dog/caf\\xe9.png" in data(pets).train().ids
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.format(path=pets))
    assert len(build_graph(load_suite(suite)).cells) == 1


def test_two_folders_and_two_sizes_are_kept_side_by_side(pets: Path, tmp_path: Path) -> None:
    other = tmp_path / "others"
    write(other, {f"{s}/{c}/1.jpg": jpeg(i, 40, 40) for i, s in enumerate(("train", "val")) for c in ("x", "y")})
    for path, size, count in ((pets, 32, 12), (other, 32, 2), (pets, 16, 12), (pets, 32, 12)):
        assert data(path, image_size=size).train().images.shape == (count, 3, size, size)
    assert len(list((tmp_path / "data").rglob("train-*.safetensors"))) == 3
