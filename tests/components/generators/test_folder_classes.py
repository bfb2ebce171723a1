"""Class folders of ``folder``: their names, their order, and folders that cannot be used."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from ddbench_components import _digests
from ddbench_components.generators._files import square_rgb as _square_rgb
from ddbench_components.generators._files.class_folders import natural
from hypothesis import given, settings
from hypothesis import strategies as st
from pool_folders import DOGS, Dogs, folder, loaded, make_pool, pixels, save, training

import ddbench
from ddbench import ClassInfo, Context, DataError, Dataset, Generator


@pytest.mark.parametrize(
    "folders",
    [
        ["Rhodesian ridgeback", "golden_retriever", "dingo"],
        ["rhodesian-ridgeback", "Golden Retriever", "DINGO"],
        ["n02087394", "n02099601", "n02115641"],
        ["0", "1", "2"],
        ["00000", "00001", "00002"],
        ["159", "207", "273"],
    ],
)
def test_class_folders_by_any_one_scheme(tmp_path: Path, folders: list[str]) -> None:
    make_pool(tmp_path, folders)
    save(tmp_path / "someone else" / "0.png", 99)
    (tmp_path / "README.txt").write_text("not a folder")
    generator = loaded(tmp_path)
    for c in range(3):
        samples = generator.sample_block(c, 0, Context())
        assert samples.ids == (f"{folders[c]}/0.png", f"{folders[c]}/1.png")
        assert samples.images.dtype == torch.uint8
        for i in range(2):
            assert samples.images[i].equal(torch.from_numpy(pixels(10 * c + i)).permute(2, 0, 1))
    assert generator.available(Dogs()) == (2, 2, 2)
    assert generator.finite


def test_natural_order_of_files(tmp_path: Path) -> None:
    names = ["10.png", "2.png", "1.png", "a10.png", "a9b.png", "02.png", "100.webp"]
    for i, name in enumerate(names):
        save(tmp_path / "0" / name, i, lossless=True)
    ids = loaded(tmp_path, DOGS[:1]).sample_block(0, 0, Context()).ids
    assert ids == tuple(f"0/{n}" for n in ["1.png", "02.png", "2.png", "10.png", "100.webp", "a9b.png", "a10.png"])


def test_lexicographic_order_of_files(tmp_path: Path) -> None:
    """As Minimax's code has it, which takes the first of ``0.png`` to ``99.png``."""
    for n in range(100):
        save(tmp_path / "0" / f"{n}.png", n)
    generator = cast("Generator", ddbench.create("generator", "folder", path=tmp_path, order="lexicographic"))
    generator.load(None, training(DOGS[:1]), Context())
    samples = generator.sample_block(0, 0, Context())
    first = [0, 1, 10, 11, 12, 13, 14, 15, 16, 17]
    assert samples.ids[:10] == tuple(f"0/{n}.png" for n in first)
    assert samples.images[:10].permute(0, 2, 3, 1).equal(torch.from_numpy(np.stack([pixels(n) for n in first])))
    assert loaded(tmp_path, DOGS[:1]).sample_block(0, 0, Context()).ids[:10] == tuple(f"0/{n}.png" for n in range(10))
    assert generator.params.keyed() == {"order": "lexicographic"}


@given(numbers=st.sets(st.integers(0, 10**6), min_size=1, max_size=30))
@settings(max_examples=50, deadline=None)
def test_numbers_are_in_numeric_order(numbers: set[int]) -> None:
    assert sorted((f"{n}.png" for n in numbers), key=natural) == [f"{n}.png" for n in sorted(numbers)]


def test_a_pool_of_all_of_imagenet_serves_its_subset(tmp_path: Path) -> None:
    make_pool(tmp_path, [info.wnid or "" for info in reversed(DOGS)] + ["n01440764"])
    assert loaded(tmp_path).sample_block(2, 0, Context()).ids[0] == "n02115641/0.png"


def test_two_readings_that_disagree(tmp_path: Path) -> None:
    """Folders 0, 1, 2 could be label indices, or ImageNet indices of a data set that orders them otherwise."""
    make_pool(tmp_path, ["0", "1", "2"])
    shuffled = [ClassInfo("a", None, 2), ClassInfo("b", None, 0), ClassInfo("c", None, 1)]
    with pytest.raises(DataError, match=r"as label indices or as ImageNet indices, which disagree; name them by class"):
        loaded(tmp_path, shuffled)
    same = [ClassInfo("a", None, 0), ClassInfo("b", None, 1), ClassInfo("c", None, 2)]
    assert loaded(tmp_path, same).sample_block(1, 0, Context()).ids[0] == "1/0.png"


@pytest.mark.parametrize("folders", [["0", "1", "2"], ["00000", "00001", "00002"]])
def test_numbers_that_could_follow_either_order(tmp_path: Path, folders: list[str]) -> None:
    make_pool(tmp_path, folders)
    shuffled = [DOGS[1], DOGS[0], DOGS[2]]
    with pytest.raises(DataError) as error:
        loaded(tmp_path, shuffled)
    assert str(error.value) == (
        f"{tmp_path}: the folders are numbered, which could follow another order of the classes; "
        "name them by class name or WordNet id"
    )
    (tmp_path / folders[0]).rename(tmp_path / "x")
    with pytest.raises(DataError, match="no folder for class 'golden_retriever'") as error:
        loaded(tmp_path, shuffled)
    assert error.value.hint == (
        "name the folders by class name ('golden_retriever') or WordNet id ('n02099601') or ImageNet index ('207')"
    )


def test_numbers_are_refused_of_data_sets_that_order_their_classes_otherwise(tmp_path: Path) -> None:
    """ImageWoof's and ImageIDC's labels do not follow the WordNet ids, ImageNette's do, and CIFAR-10 has none."""
    make_pool(tmp_path, [f"{label:05d}" for label in range(10)], ["0.png"])
    for name in ("imagenette", "cifar10"):
        assert folder(tmp_path).available(cast("Dataset", ddbench.create("dataset", name))) == (1,) * 10
    for name in ("imagewoof", "imageidc"):
        with pytest.raises(DataError, match="the folders are numbered"):
            folder(tmp_path).available(cast("Dataset", ddbench.create("dataset", name)))


def test_names_that_do_not_tell_classes_apart_are_no_names(tmp_path: Path) -> None:
    """ImageNet has two classes called crane."""
    make_pool(tmp_path, ["crane", "crane_"])
    cranes = [ClassInfo("crane", "n02012849"), ClassInfo("crane", "n03126707")]
    with pytest.raises(DataError, match="no folder for class 'crane'"):
        loaded(tmp_path, cranes)


@pytest.mark.parametrize("pair", [("dingo", "Dingo_"), ("2", "02")])
def test_two_folders_of_one_class(tmp_path: Path, pair: tuple[str, str]) -> None:
    others = ["Rhodesian ridgeback", "golden_retriever"] if pair[0] == "dingo" else ["0", "1"]
    make_pool(tmp_path, [*others, *pair])
    with pytest.raises(DataError, match="both name class 'dingo'"):
        loaded(tmp_path)


def test_a_missing_class_is_named(tmp_path: Path) -> None:
    make_pool(tmp_path, ["n02087394", "n02115641"])
    with pytest.raises(DataError, match=r"no folder for class 'golden_retriever'; name the folders by class name") as e:
        folder(tmp_path).available(Dogs())
    assert e.value.where == str(tmp_path)


def test_a_missing_folder_is_named_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder") as error:
        folder(tmp_path / "nowhere").fingerprint()
    assert error.value.where == str(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds no class folders"):
        folder(tmp_path).fingerprint()


def test_a_relative_path_is_relative_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_pool(tmp_path / "pool", ["0", "1", "2"])
    monkeypatch.chdir(tmp_path)
    assert folder(Path("pool")).fingerprint() == folder(tmp_path / "pool").fingerprint()


def test_a_path_may_begin_with_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_pool(tmp_path / "pool", ["0", "1", "2"])
    monkeypatch.setenv("HOME", str(tmp_path))
    there = folder(tmp_path / "pool")
    assert folder(Path("~/pool")).fingerprint() == there.fingerprint()
    assert folder(Path("~/pool")).params.keyed() == there.params.keyed()
    with pytest.raises(DataError, match=r"^~no-such-user/pool: there is no such folder"):
        folder(Path("~no-such-user/pool")).fingerprint()


def test_names_need_not_be_utf_8(tmp_path: Path) -> None:
    """The content of a pool is that of its files' names, as bytes, and of its files."""
    make_pool(tmp_path, ["0", "1", "2"])
    (tmp_path / "1" / "1.png").rename(tmp_path / "1" / os.fsdecode(b"caf\xe9.png"))
    by_hand = hashlib.sha256()
    for name in (b"0\x000.png", b"0\x001.png", b"1\x000.png", b"1\0caf\xe9.png", b"2\x000.png", b"2\x001.png"):
        content = (tmp_path / os.fsdecode(name.replace(b"\0", b"/"))).read_bytes()
        by_hand.update(name + b"\0" + hashlib.sha256(content).hexdigest().encode() + b"\0")
    assert folder(tmp_path).fingerprint() == by_hand.hexdigest()
    assert loaded(tmp_path).sample_block(1, 0, Context()).ids == ("1/0.png", "1/caf\\xe9.png")


def test_class_names_need_not_be_utf_8(tmp_path: Path) -> None:
    """The data set ``image-folder`` escapes such bytes in the names of its classes."""
    make_pool(tmp_path, [os.fsdecode(b"caf\xe9"), "tea"])
    classes = [ClassInfo("tea"), ClassInfo("caf\\xe9")]
    assert loaded(tmp_path, classes).sample_block(1, 0, Context()).ids[0] == "caf\\xe9/0.png"


@pytest.mark.parametrize("denied", [".", "1", "1/0.png"])
def test_what_may_not_be_read_is_named(denied: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unless_denied(do: Callable[[Path], Any]) -> Callable[[Path], Any]:
        def done(path: Path) -> Any:
            if path == tmp_path / denied:
                raise PermissionError(13, "Permission denied", str(path))
            return do(path)

        return done

    make_pool(tmp_path, ["0", "1", "2"])
    monkeypatch.setattr(Path, "iterdir", unless_denied(Path.iterdir))
    monkeypatch.setattr("os.scandir", unless_denied(os.scandir))
    monkeypatch.setattr(_square_rgb, "read_bytes", unless_denied(_square_rgb.read_bytes))
    monkeypatch.setattr(_digests, "file_sha256", unless_denied(_digests.file_sha256))
    for act in (folder(tmp_path).fingerprint, lambda: loaded(tmp_path).sample_block(1, 0, Context())):
        with pytest.raises(DataError) as error:
            act()
        assert str(error.value) == f"{tmp_path / denied}: cannot be read: Permission denied; check its permissions"
