"""Other content under equal names, sizes and times is noticed; a rotation enters keys only where there is one."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ddbench_components import _digests
from ddbench_components._digests import nothing, read_content
from ddbench_components.datasets._imagenet.subset import ImagenetSubset
from PIL import Image

import ddbench
from ddbench import ClassInfo, DataError, Dataset, component
from ddbench.api import sha256_json

Write = Callable[[Path, bytes], None]


@component("dataset", "two-fish", version=1)
class TwoFish(ImagenetSubset):
    """Two classes of two images a split."""

    classes = (ClassInfo("tench", "n01440764", 0), ClassInfo("goldfish", "n01443537", 1))
    train_counts = (2, 2)
    validation_count = 2


def picture(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (24, 24, 3), dtype=np.uint8)


def pictures(root: Path, classes: tuple[str, ...], suffix: str, first: int = 0) -> Path:
    """Save bitmaps, which all have one size, by split and class."""
    for at, folder in enumerate(f"{split}/{name}" for split in ("train", "val") for name in classes):
        (root / folder).mkdir(parents=True)
        for i in range(2):
            Image.fromarray(picture(first + 2 * at + i)).save(root / folder / f"{i}{suffix}", "BMP")
    return root


def in_place(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def by_another_file(path: Path, data: bytes) -> None:
    path.with_name(".new").write_bytes(data)
    path.with_name(".new").replace(path)


def change_keeping_size_and_times(path: Path, write: Write) -> None:
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[-1] ^= 255
    write(path, bytes(data))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))


def image_folder(root: Path, **params: object) -> Dataset:
    found = ddbench.create("dataset", "image-folder", path=root, image_size=24, **params)
    assert isinstance(found, Dataset)
    return found


@pytest.mark.parametrize("write", [in_place, by_another_file])
def test_images_that_change_under_one_size_and_time_are_read_again(tmp_path: Path, write: Write) -> None:
    root = pictures(tmp_path / "d", ("a", "b"), ".bmp")
    time.sleep(0.15)  # so that the files are remembered
    mark, images = image_folder(root).fingerprint(), image_folder(root).train().images.clone()
    change_keeping_size_and_times(root / "train" / "a" / "1.bmp", write)
    assert image_folder(root).fingerprint() != mark
    now = image_folder(root).train().images
    assert [i for i in range(4) if not now[i].equal(images[i])] == [1]


@pytest.mark.parametrize("write", [in_place, by_another_file])
def test_pools_that_change_under_one_size_and_time_are_read_again(tmp_path: Path, write: Write) -> None:
    root = tmp_path / "pool"
    (root / "a").mkdir(parents=True)
    Image.fromarray(picture(1)).save(root / "a" / "0.png")
    time.sleep(0.15)
    mark = ddbench.create("generator", "folder", path=root).fingerprint()
    assert ddbench.create("generator", "folder", path=root).fingerprint() == mark
    change_keeping_size_and_times(root / "a" / "0.png", write)
    assert ddbench.create("generator", "folder", path=root).fingerprint() != mark


@pytest.mark.parametrize("write", [in_place, by_another_file])
def test_stored_pixels_of_imagenet_follow_the_files(tmp_path: Path, write: Write) -> None:
    root = pictures(tmp_path / "data" / "imagenet", ("n01440764", "n01443537"), ".JPEG")
    time.sleep(0.15)
    images = TwoFish().train().images.clone()
    change_keeping_size_and_times(root / "train" / "n01443537" / "0.JPEG", write)
    now = TwoFish().train().images
    assert [i for i in range(4) if not now[i].equal(images[i])] == [2]


def test_a_folder_replaced_by_an_older_one_is_read_again(tmp_path: Path) -> None:
    """Two archives that were packed with one time for all members are unpacked one after the other."""
    for name, first in (("v1", 0), ("v2", 50)):
        for path in pictures(tmp_path / name, ("a", "b"), ".bmp", first).rglob("*.bmp"):
            os.utime(path, (1_577_836_800, 1_577_836_800))
    time.sleep(0.15)
    marks = []
    for name in ("v1", "v2"):
        (tmp_path / name).rename(tmp_path / "d")
        marks.append(image_folder(tmp_path / "d").fingerprint())
        (tmp_path / "d").rename(tmp_path / name)
    assert marks[0] != marks[1]


def test_unchanged_files_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [f"{i}.bin" for i in range(50)]
    for name in files:
        (tmp_path / name).write_bytes(name.encode())
    time.sleep(0.15)
    found = read_content(tmp_path, files, tmp_path / "memo.json", lambda path: path.name)
    assert found.digests == [hashlib.sha256(name.encode()).hexdigest() for name in files]
    assert found.facts == files
    monkeypatch.setattr(_digests, "file_sha256", None)
    assert read_content(tmp_path, files, tmp_path / "memo.json", nothing) == found


def save_with(root: Path, orientation: int) -> Path:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for split in ("train", "val"):
        for name in "ab":
            path = root / split / name / "0.png"
            path.parent.mkdir(parents=True)
            Image.fromarray(picture(ord(name))).save(path, exif=exif)
    return root


def test_without_rotations_exif_enters_no_key(tmp_path: Path) -> None:
    """The fingerprint is that of ddbench 0.2, which had no such parameter."""
    root = save_with(tmp_path / "d", 1)
    by_hand = {
        split: sha256_json(
            [[n, hashlib.sha256((root / folder / n).read_bytes()).hexdigest()] for n in ("a/0.png", "b/0.png")]
        )
        for split, folder in (("train", "train"), ("validation", "val"))
    }
    for exif in ("apply", "ignore"):
        data = image_folder(root, exif=exif)
        assert data.fingerprint() == sha256_json(by_hand)
        assert "exif" not in data.params.keyed()
        assert np.array_equal(data.train().images[0].permute(1, 2, 0).numpy(), picture(ord("a")))


def test_with_rotations_exif_enters_keys_and_pixels(tmp_path: Path) -> None:
    root = save_with(tmp_path / "d", 6)
    applied, ignored = (image_folder(root, exif=exif) for exif in ("apply", "ignore"))
    assert applied.fingerprint() != ignored.fingerprint()
    for _ in range(2):
        assert np.array_equal(applied.train().images[0].permute(1, 2, 0).numpy(), np.rot90(picture(ord("a")), -1))
        assert np.array_equal(ignored.train().images[0].permute(1, 2, 0).numpy(), picture(ord("a")))


def test_an_image_that_cannot_be_used_is_named_before_anything_runs(tmp_path: Path) -> None:
    root = pictures(tmp_path / "d", ("a", "b"), ".bmp")
    Image.fromarray(picture(0)[:, :, 0].astype("u2") * 200).save(root / "val" / "b" / "deep.png")
    with pytest.raises(DataError, match=r"val/b/deep\.png: has values of mode I;16, not of 8 bits; scale it"):
        image_folder(root).fingerprint()


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("train/stray.png", Path.touch, "is not the folder of a class; move it into"),
        ("val/stray.bin", Path.touch, "is not the folder of a class; move it into"),
        ("train/c", lambda p: p.symlink_to("nowhere"), "is a link to nothing; restore its target"),
        ("train/c", os.mkfifo, "is not the folder of a class"),
    ],
)
def test_entries_beside_class_folders_are_named(
    tmp_path: Path, name: str, make: Callable[[Path], object], said: str
) -> None:
    root = pictures(tmp_path / "d", ("a", "b"), ".bmp")
    (root / "train" / "README.md").touch()
    image_folder(root).fingerprint()
    make(root / name)
    for act in (
        image_folder(root).fingerprint,
        ddbench.create("generator", "folder", path=(root / name).parent).fingerprint,
    ):
        with pytest.raises(DataError) as caught:
            act()
        assert f"{root / name}: {said}" in str(caught.value)


def test_a_pool_of_very_large_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    Image.new("RGB", (260, 260)).save(tmp_path / "a" / "0.png")
    pool = ddbench.create("generator", "folder", path=tmp_path)
    small = ddbench.TrainingData("pets", (ClassInfo("a"),), 4, (0.5,) * 3, (0.5,) * 3, None)  # type: ignore[arg-type]
    with pytest.raises(DataError, match=r"0\.png: is 260 px large, more than 64 times the data set's 4 px; make"):
        pool.load(None, small, ddbench.Context())
