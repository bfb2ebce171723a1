"""The subsets of ImageNet decode each image once, and again where a file has changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from ddbench_components._image_reader import decode
from ddbench_components.datasets._images import decoded as _decoded_images
from photographs import photograph
from two_dogs import TwoDogs, by_hand

from ddbench import DataError, LabeledImages
from ddbench.toolkit.home import data_home


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Record the names of decoded files."""
    names: list[str] = []

    def noted(path: Path, size: int, *, upright: bool) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        assert not upright
        names.append(path.name)
        return decode(path, size)

    monkeypatch.setattr(_decoded_images, "decode", noted)
    return names


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
