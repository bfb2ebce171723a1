"""The subsets of ImageNet: their classes against ImageNet's own list, their images against Pillow by hand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import torch
from ddbench_components.datasets._imagenet.classes import imagenet_class, imagenet_classes
from ddbench_components.datasets._imagenet.subset import ImagenetSubset
from ddbench_components.datasets._images import decoded as _decoded_images
from ddbench_components.datasets._images.decoded import decode
from ddbench_components.datasets.imageidc import Imageidc
from ddbench_components.datasets.imagenet100 import Imagenet100
from ddbench_components.datasets.imagenette import Imagenette
from ddbench_components.datasets.imagewoof import Imagewoof
from ddbench_components.datasets.tiny_imagenet import TinyImagenet
from photographs import photograph
from PIL import Image

from ddbench import ClassInfo, Context, DataError, Dataset, LabeledImages, component, create
from ddbench.testing import check_component
from ddbench.toolkit.home import data_home

SUBSETS = {Imagewoof: 10, Imagenette: 10, Imageidc: 10, Imagenet100: 100, TinyImagenet: 200}


@component("dataset", "two-dogs", version=1)
class TwoDogs(ImagenetSubset):
    """Two classes, not in the order of their folders, with a handful of images."""

    classes = (ClassInfo("Samoyed", "n02111889", 258), ClassInfo("beagle", "n02088364", 162))
    train_counts = (4, 3)
    validation_count = 2


# By split and class: each file's number in its name, its width and height, its mode.
TREE = {
    "train/n02111889": [(10, 300, 256, "RGB"), (9, 257, 400, "RGB"), (100, 64, 48, "RGB"), (11, 500, 375, "L")],
    "train/n02088364": [(1, 256, 256, "RGB"), (20, 333, 301, "CMYK"), (3, 1000, 259, "RGB")],
    "val/n02111889": [(7, 320, 280, "RGB"), (30, 280, 320, "RGB")],
    "val/n02088364": [(8, 400, 300, "L"), (6, 261, 263, "RGB")],
    "train/n01440764": [(1, 300, 300, "RGB")],  # of another class
}


def file_name(folder: str, number: int) -> str:
    split, wnid = folder.split("/")
    return f"{wnid}_{number}.JPEG" if split == "train" else f"ILSVRC2012_val_{number:08d}.JPEG"


@pytest.fixture
def imagenet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a small ImageNet in a separate data folder."""
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path))
    root = tmp_path / "imagenet"
    for at, (folder, files) in enumerate(TREE.items()):
        (root / folder).mkdir(parents=True)
        for number, width, height, mode in files:
            photograph(100 * at + number, width, height, mode).save(
                root / folder / file_name(folder, number), format="JPEG", quality=90
            )
    (root / "train" / "n02111889" / "notes.txt").write_text("not an image")
    return root


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Record the names of decoded files."""
    names: list[str] = []

    def noted(path: Path, size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        names.append(path.name)
        return decode(path, size)

    monkeypatch.setattr(_decoded_images, "decode", noted)
    return names


def by_hand(path: Path) -> torch.Tensor:
    """Resize the shorter side to 256 and the longer in proportion, one side at a time, then crop the centre."""
    with Image.open(path) as image:
        rgb = image.convert("RGB")
    width, height = rgb.size
    new = (256, int(256 * height / width)) if width <= height else (int(256 * width / height), 256)
    rgb = rgb.resize(new, Image.Resampling.BILINEAR)
    left, top = int(round((new[0] - 256) / 2.0)), int(round((new[1] - 256) / 2.0))  # noqa: RUF046
    return torch.from_numpy(np.array(rgb)[top : top + 256, left : left + 256]).permute(2, 0, 1)


@pytest.mark.parametrize("cls", SUBSETS)
def test_classes_are_those_of_imagenet(cls: type[Dataset]) -> None:
    """The package timm ships ImageNet-1k's WordNet ids in the order of its labels, and their lemmas."""
    folder = resources.files("timm.data") / "_info"
    synsets = (folder / "imagenet_synsets.txt").read_text().split()
    lines = (folder / "imagenet_synset_to_lemma.txt").read_text().splitlines()
    lemmas = dict(line.split("\t") for line in lines)
    for c in cls.classes:
        assert c.imagenet_index is not None
        assert synsets[c.imagenet_index] == c.wnid
        assert lemmas[c.wnid].split(",")[0] == c.name
    assert len({c.wnid for c in cls.classes}) == len(cls.classes) == SUBSETS[cls]


def test_every_class_of_imagenet_is_known_by_its_wordnet_id() -> None:
    folder = resources.files("timm.data") / "_info"
    synsets = (folder / "imagenet_synsets.txt").read_text().split()
    lemmas = dict(line.split("\t") for line in (folder / "imagenet_synset_to_lemma.txt").read_text().splitlines())
    names = [lemmas[wnid].split(",")[0] for wnid in synsets]
    expected = [ClassInfo(name, wnid, index) for index, (wnid, name) in enumerate(zip(synsets, names, strict=True))]
    assert [imagenet_class(wnid) for wnid in synsets] == expected
    assert imagenet_classes(range(1000)) == tuple(expected)
    assert imagenet_class("n00000000") is None


def test_classes_come_in_the_literatures_order() -> None:
    assert [c.imagenet_index for c in Imagewoof.classes] == [193, 182, 258, 162, 155, 167, 159, 273, 207, 229]
    assert [c.imagenet_index for c in Imagenette.classes] == [0, 217, 482, 491, 497, 566, 569, 571, 574, 701]
    assert [c.imagenet_index for c in Imageidc.classes] == [452, 64, 374, 236, 993, 176, 882, 904, 503, 74]
    assert Imagenet100.classes[:10] == Imageidc.classes
    assert [c.imagenet_index for c in Imagenet100.classes[10:16]] == [57, 959, 953, 508, 872, 228]
    assert [c.imagenet_index for c in Imagenet100.classes[-5:]] == [275, 242, 570, 99, 169]
    assert sum(c.imagenet_index or 0 for c in Imagenet100.classes) == 47_997


def test_planning_needs_no_images() -> None:
    assert sum(Imagewoof.train_counts or ()) == 12_454
    assert dict(zip(Imagewoof().classes, Imagewoof.train_counts or (), strict=True))[Imagewoof.classes[5]] == 754
    assert sum(Imagenette.train_counts or ()) == 12_894
    assert dict(zip(Imagenette().classes, Imagenette.train_counts or (), strict=True))[Imagenette.classes[3]] == 1194
    assert Imageidc.train_counts is None
    assert Imagenet100.train_counts is None
    assert Imagenet100().validation_counts == (50,) * 100
    for name in ("imagewoof", "imagenette", "imageidc", "imagenet100"):
        assert isinstance(create("dataset", name), ImagenetSubset)


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


def assert_same(a: LabeledImages, b: LabeledImages) -> None:
    assert a.images.equal(b.images)
    assert a.labels.equal(b.labels)
    assert a.ids == b.ids


def kept() -> list[str]:
    return sorted(path.name for path in (data_home() / "cache" / "two-dogs").iterdir())


def test_images_are_decoded_once(imagenet: Path, decoded: list[str]) -> None:
    first = TwoDogs().train()
    assert len(decoded) == 7
    assert_same(TwoDogs().train(), first)
    assert len(decoded) == 7
    TwoDogs().validation()
    assert len(decoded) == 11
    assert [Path(name).suffix for name in kept()] == ["", ".json", ".safetensors", ".json", ".safetensors"]
    manifest = json.loads(next((data_home() / "cache" / "two-dogs").glob("validation-*.json")).read_text())
    assert [name for name, _ in manifest["files"]] == [f"{i}.JPEG" for i in TwoDogs().validation().ids]
    assert all(size == (imagenet / "val" / name).stat().st_size for name, size in manifest["files"])


def test_processes_that_read_at_once_decode_once(imagenet: Path, decoded: list[str]) -> None:
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda _: TwoDogs().train(), range(4)))
    assert len(decoded) == 7
    for other in found[1:]:
        assert_same(other, found[0])


def test_a_changed_file_is_noticed_by_its_size(imagenet: Path, decoded: list[str]) -> None:
    before, old = TwoDogs().train(), kept()
    path = imagenet / "train" / "n02088364" / "n02088364_20.JPEG"
    photograph(77, 400, 300).save(path, format="JPEG", quality=50)
    after = TwoDogs().train()
    assert len(decoded) == 14
    assert after.images[5].equal(by_hand(path))
    assert not after.images[5].equal(before.images[5])
    assert len(kept()) == len(old)
    assert set(kept()) & set(old) == {"lock"}


def test_another_name_in_the_list_is_noticed(imagenet: Path, decoded: list[str]) -> None:
    TwoDogs().train()
    folder = imagenet / "train" / "n02088364"
    (folder / "n02088364_1.JPEG").rename(folder / "n02088364_4.JPEG")
    assert TwoDogs().train().ids[4:] == tuple(f"n02088364/n02088364_{n}" for n in (20, 3, 4))
    assert len(decoded) == 14


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
@pytest.mark.parametrize("damage", ["flip", "cut", "lose"])
def test_damaged_pixels_are_made_again(suffix: str, damage: str, imagenet: Path, decoded: list[str]) -> None:
    first = TwoDogs().validation().images.clone()
    path = next((data_home() / "cache" / "two-dogs").glob(f"validation-*{suffix}"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    if damage != "lose":
        path.write_bytes(content if damage == "flip" else content[: len(content) // 2])
    assert TwoDogs().validation().images.equal(first)
    assert len(decoded) == 8


@pytest.mark.parametrize("damage", ["cut short", "emptied", "another thing"])
def test_a_damaged_photograph_is_named_and_nothing_is_kept(damage: str, imagenet: Path) -> None:
    path = imagenet / "train" / "n02111889" / "n02111889_11.JPEG"
    whole = path.read_bytes()
    path.write_bytes({"cut short": whole[: len(whole) // 2], "emptied": b"", "another thing": b"<html>"}[damage])
    with pytest.raises(
        DataError, match=r"n02111889_11\.JPEG: cannot be decoded \(.*\); replace it by an undamaged"
    ) as caught:
        TwoDogs().train()
    assert "\n" not in str(caught.value)
    assert kept() == ["lock"]
    path.write_bytes(whole)
    assert len(TwoDogs().train()) == 7


def test_a_data_folder_that_cannot_be_written_is_named(imagenet: Path) -> None:
    (data_home() / "cache").write_text("not a folder")
    with pytest.raises(DataError, match=r"cache.*: cannot be .*DDBENCH_DATA"):
        TwoDogs().train()


def assert_missing(said: str) -> None:
    problem = TwoDogs().missing()
    assert problem is not None
    assert "\n" not in problem
    assert problem.startswith(f"two-dogs: {said}; store ImageNet as {data_home()}/imagenet/{{train,val}}/")
    with pytest.raises(DataError) as caught:
        TwoDogs().train()
    assert str(caught.value) == problem


def test_what_is_missing_is_said_in_one_line(imagenet: Path) -> None:
    dogs, val = imagenet / "train" / "n02088364", imagenet / "val"
    (val / "n02111889" / "ILSVRC2012_val_00000030.JPEG").unlink()
    assert_missing(f"{val}/n02111889 (Samoyed) contains 1 .JPEG files, not 2")
    for path in (val / "n02111889").iterdir():
        path.unlink()
    assert_missing(f"{val}/n02111889 (Samoyed) contains no .JPEG files")
    (val / "n02111889").rmdir()
    assert_missing(f"the folder {val}/n02111889 (Samoyed) does not exist")
    (val / "ILSVRC2012_val_00000001.JPEG").write_bytes(b"")
    assert_missing(f"the images in {val} are not sorted into one folder per class")
    dogs.rename(imagenet / "train" / "beagle")
    assert_missing(f"the folder {dogs} (beagle) does not exist")
    imagenet.rename(imagenet.with_name("ILSVRC"))
    assert_missing(f"the folder {imagenet}/train does not exist")


def test_where_counts_are_not_known_every_class_must_be_as_large_as_ilsvrcs_are(
    imagenet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half an ImageNet is no smaller data set. In ILSVRC 2012 a class has 732 to 1,300 training images."""
    monkeypatch.setattr(TwoDogs, "train_counts", None)
    samoyed, beagle = (imagenet / "train" / str(c.wnid) for c in TwoDogs.classes)
    assert_missing(f"{samoyed} (Samoyed) contains 4 .JPEG files, not 732 to 1300")
    fill(samoyed, 1300)
    for count in (731, 732, 1300, 1301):
        fill(beagle, count)
        if count in (731, 1301):
            assert_missing(f"{beagle} (beagle) contains {count} .JPEG files, not 732 to 1300")
        else:
            assert TwoDogs().missing() is None
    assert (TwoDogs().missing() or "").endswith(", and extract incomplete folders again")


def fill(folder: Path, count: int) -> None:
    """Bring a class to so many files."""
    for number in range(count - len(list(folder.glob("*.JPEG")))):
        (folder / f"{folder.name}_{count}{number:05d}.JPEG").touch()


def test_counts_that_are_not_known_are_those_of_the_files(imagenet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TwoDogs, "train_counts", None)
    monkeypatch.setattr(TwoDogs, "train_range", range(3, 5))
    (imagenet / "train" / "n02111889" / "n02111889_9.JPEG").unlink()
    assert TwoDogs().train().labels.bincount().tolist() == [3, 3]


def test_hidden_files_are_no_images(imagenet: Path) -> None:
    """Copies by macOS add such a file for each file on another system."""
    whole = TwoDogs().train().ids
    for split in ("train", "val"):
        for path in list((imagenet / split / "n02088364").iterdir()):
            path.with_name(f"._{path.name}").write_bytes(b"\0\5\x16\7")
    assert TwoDogs().missing() is None
    assert TwoDogs().train().ids == whole


def test_imagenet_cannot_be_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path))
    with pytest.raises(
        DataError, match=r"store ImageNet as .*/imagenet/\{train,val\}/.*https://image-net\.org"
    ) as caught:
        Imagewoof().fetch(lambda what, done, total: None)
    assert str(tmp_path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_fetch_decodes_with_a_bar_for_each_split(imagenet: Path, decoded: list[str]) -> None:
    seen: list[tuple[str, int, int]] = []
    TwoDogs().fetch(lambda *report: seen.append(report))
    for split, folder, count in (("train", "train", 7), ("validation", "val", 4)):
        own = [(done, total) for what, done, total in seen if what == f"two-dogs {split}"]
        whole = sum(p.stat().st_size for c in TwoDogs.classes for p in (imagenet / folder / str(c.wnid)).glob("*.JPEG"))
        assert len(own) == count
        assert own == sorted(own)
        assert own[-1] == (whole, whole)
    assert len(decoded) == 11
    seen.clear()
    TwoDogs().fetch(lambda *report: seen.append(report))
    assert seen == []
    assert_same(TwoDogs().train(), TwoDogs().train())
    assert len(decoded) == 11


def test_an_interrupted_fetch_leaves_nothing_half_decoded(imagenet: Path) -> None:
    def interrupt(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TwoDogs().fetch(interrupt)
    assert kept() == ["lock"]


def test_more_images_than_are_decoded_at_once_keep_their_order(imagenet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = TwoDogs().train()
    expected = whole.images.clone()
    for path in (data_home() / "cache" / "two-dogs").iterdir():
        path.unlink()
    monkeypatch.setattr(_decoded_images, "_AT_ONCE", 3)
    assert TwoDogs().train().images.equal(expected)


def test_saying_what_is_missing_needs_no_torch() -> None:
    code = (
        "import sys; from ddbench_components.datasets.imagewoof import Imagewoof; Imagewoof().missing();"
        "print([m for m in ('torch', 'numpy', 'PIL', 'safetensors') if m in sys.modules])"
    )
    env = {**os.environ, "DDBENCH_DATA": "/nowhere"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert run.stdout == "[]\n"
