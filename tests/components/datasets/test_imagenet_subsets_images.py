"""The images of the subsets of ImageNet, against Pillow by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from ddbench_components._image_reader import decode
from ddbench_components.datasets._images import decoded as _decoded_images
from photographs import photograph
from two_dogs import TwoDogs, by_hand

from ddbench import Context, create
from ddbench.testing import check_component
from ddbench.toolkit.home import data_home


def test_images_are_in_order_and_as_pillow_makes_them(imagenet: Path) -> None:
    data = TwoDogs()
    assert data.missing() is None
    train, validation = data.train(), data.validation()
    assert train.ids == (
        "n02111889/n02111889_10",
        "n02111889/n02111889_100",
        "n02111889/n02111889_11",
        "n02111889/n02111889_9",
        "n02088364/n02088364_1",
        "n02088364/n02088364_20",
        "n02088364/n02088364_3",
    )
    assert train.labels.tolist() == [0] * 4 + [1] * 3
    assert validation.ids == (
        "n02111889/ILSVRC2012_val_00000007",
        "n02111889/ILSVRC2012_val_00000030",
        "n02088364/ILSVRC2012_val_00000006",
        "n02088364/ILSVRC2012_val_00000008",
    )
    assert validation.labels.tolist() == [0, 0, 1, 1]
    for folder, split in (("train", train), ("val", validation)):
        assert split.images.shape == (len(split), 3, 256, 256)
        assert (split.images.dtype, split.labels.dtype) == (torch.uint8, torch.int64)
        for image, name in zip(split.images, split.ids, strict=True):
            assert image.equal(by_hand(imagenet / folder / f"{name}.JPEG"))


def test_the_geometry_is_torchvisions(tmp_path: Path) -> None:
    from torchvision.transforms import CenterCrop, Compose, Resize

    theirs = Compose([Resize(256), CenterCrop(256)])
    sizes = [(300, 256), (257, 400), (64, 48), (500, 375), (333, 301), (1000, 259), (261, 263), (256, 256), (255, 77)]
    for seed, size in enumerate(sizes):
        image = photograph(seed, *size)
        image.save(tmp_path / "x.png")
        assert np.array_equal(decode(tmp_path / "x.png", 256), np.array(theirs(image))), size


def test_conformance(imagenet: Path, tmp_path: Path) -> None:
    check_component(TwoDogs, tmp_path / "scratch")


def test_the_real_images_of_a_pool_keep_the_order(imagenet: Path) -> None:
    real = create("generator", "real")
    real.load(None, TwoDogs().training(), Context())
    assert real.sample_block(1, 0, Context()).ids == tuple(f"n02088364/n02088364_{n}" for n in (1, 20, 3))  # type: ignore[attr-defined]


def test_hidden_files_are_no_images(imagenet: Path) -> None:
    """Copies by macOS add such a file for each file on another system."""
    whole = TwoDogs().train().ids
    for split in ("train", "val"):
        for path in list((imagenet / split / "n02088364").iterdir()):
            path.with_name(f"._{path.name}").write_bytes(b"\0\5\x16\7")
    assert TwoDogs().missing() is None
    assert TwoDogs().train().ids == whole


def test_more_images_than_are_decoded_at_once_keep_their_order(imagenet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = TwoDogs().train()
    expected = whole.images.clone()
    for path in (data_home() / "cache" / "two-dogs").iterdir():
        path.unlink()
    monkeypatch.setattr(_decoded_images, "_AT_ONCE", 3)
    assert TwoDogs().train().images.equal(expected)
