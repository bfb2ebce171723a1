"""cifar100: the official records by their fine labels, held to digests whenever they are got or read."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from ddbench_components.datasets.cifar100 import Cifar100
from handmade_cifar import Server, tarball
from silence import quiet

from ddbench import DataError, create
from ddbench.toolkit.home import data_home

TRAIN, TEST = 5, 3


def record(n: int) -> bytes:
    """Coarse label n, fine label 10 n + 7; red tells the row, green the column, blue is 20 n."""
    red = bytes(row for row in range(32) for _ in range(32))
    green = bytes(column for _ in range(32) for column in range(32))
    return bytes([n, 10 * n + 7]) + red + green + bytes([20 * n]) * 1024


def files(test: tuple[int, ...] = (5, 6, 7)) -> dict[str, bytes]:
    return {
        "train.bin": b"".join(record(n) for n in range(TRAIN)),
        "test.bin": b"".join(record(n) for n in test),
        "fine_label_names.txt": b"apple\naquarium_fish\n",
    }


ARCHIVE = tarball("cifar-100-binary", files())


@pytest.fixture
def small(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> type[Cifar100]:
    """Eight images as a data set, with an empty data folder and the server."""
    return make_small(server, tmp_path, monkeypatch, files())


def make_small(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: dict[str, bytes]
) -> type[Cifar100]:
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))
    server.content = tarball("cifar-100-binary", content)

    class Small(Cifar100):
        release = replace(
            Cifar100.release,
            archive_url=server.url.replace("cifar-10-", "cifar-100-"),
            batches={"train": {"train": TRAIN}, "validation": {"test": TEST}},
            file_digests={name: hashlib.sha256(content[name]).hexdigest() for name in content if name.endswith(".bin")},
        )

    return Small


def assert_right(data: Cifar100) -> None:
    assert data.missing() is None
    for found, numbers, name in ((data.train(), range(TRAIN), "train"), (data.validation(), range(5, 8), "test")):
        assert found.labels.tolist() == [10 * n + 7 for n in numbers]
        assert found.labels.dtype == torch.int64
        assert found.ids == tuple(f"{name}-{i:05d}" for i in range(len(numbers)))
        for image, n in zip(found.images, numbers, strict=True):
            assert image[0].equal(torch.arange(32).view(32, 1).expand(32, 32).to(torch.uint8))
            assert image[1].equal(torch.arange(32).expand(32, 32).to(torch.uint8))
            assert bool((image[2] == 20 * n).all())


def test_what_is_declared() -> None:
    data = create("dataset", "cifar100")
    assert isinstance(data, Cifar100)
    names = [c.name for c in data.classes]
    assert len(set(names)) == 100
    # The official order is the alphabet's; these places are those of labelled images that others ship.
    assert names == sorted(names)
    at = {0: "apple", 14: "butterfly", 23: "cloud", 40: "lamp", 53: "orange", 69: "rocket", 81: "streetcar", 97: "wolf"}
    assert {i: names[i] for i in at} == at
    assert data.train_counts == (500,) * 100
    assert data.validation_counts == (100,) * 100
    assert [data.release.count(split) for split in ("train", "validation")] == [50_000, 10_000]


def test_what_is_declared_is_what_the_files_hold() -> None:
    data = create("dataset", "cifar100")
    assert isinstance(data, Cifar100)
    if problem := data.missing():
        pytest.skip(problem)
    for split, declared in (("train", data.train_counts), ("validation", data.validation_counts)):
        assert tuple(data._read(split).labels.bincount().tolist()) == declared
    assert len(data.train()) == sum(data.train_counts or ()) > 0.99 * 50_000


def test_it_is_downloaded_where_the_user_has_put_nothing(small: type[Cifar100], server: Server) -> None:
    server.breaks = [300]
    small().fetch(quiet)
    assert_right(small())
    assert server.asked == [None, "bytes=300-"]


@pytest.mark.parametrize("form", ["archive", "folder"])
def test_what_the_user_put_there_is_used(form: str, small: type[Cifar100], server: Server) -> None:
    data_home().mkdir()
    if form == "archive":
        (data_home() / "cifar-100-binary.tar.gz").write_bytes(ARCHIVE)
    else:
        (data_home() / "cifar-100-binary").mkdir()
        for name, content in files().items():
            (data_home() / "cifar-100-binary" / name).write_bytes(content)
    small().fetch(quiet)
    assert_right(small())
    assert server.asked == []


def flipped() -> bytes:
    content = bytearray(files()["train.bin"])
    content[3074 + 1] ^= 1  # the fine label of the second image
    return tarball("cifar-100-binary", {**files(), "train.bin": bytes(content)})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (flipped(), "train.bin is not that of CIFAR-100: SHA-256"),
        (tarball("x", {"train.bin": files()["train.bin"]}), "does not contain test.bin"),
        (tarball("x", {**files(), "test.bin": record(5)}), "test.bin has 3,074 bytes, not 9,222"),
        (ARCHIVE[:-40], "cannot be read"),
        (b"<html>", "cannot be read"),
    ],
    ids=["label flipped", "file missing", "record missing", "cut short", "no archive"],
)
def test_wrong_data_is_refused_in_one_line(content: bytes, why: str, small: type[Cifar100], server: Server) -> None:
    data_home().mkdir()
    (data_home() / "cifar-100-binary.tar.gz").write_bytes(content)
    server.content = content
    with pytest.raises(DataError, match="CIFAR-100 could not be fetched") as caught:
        small().fetch(quiet)
    assert str(caught.value).count(why) == 2
    assert "\n" not in str(caught.value)
    assert "run `ddbench fetch cifar100`" in (small().missing() or "")


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_flipped_byte_in_the_stored_form_is_noticed_and_fetch_repairs_it(split: str, small: type[Cifar100]) -> None:
    small().fetch(quiet)
    path = data_home() / "cifar100" / f"{split}.safetensors"
    size = path.stat().st_size
    for position in (3, 30, 90, size // 2, size - 1):
        content = bytearray(path.read_bytes())
        content[position] ^= 4
        path.unlink()
        path.write_bytes(content)
        with pytest.raises(DataError, match=rf"{split}\.safetensors: is damaged: .*; run `ddbench fetch cifar100`"):
            getattr(small(), split)()
        small().fetch(quiet)
        assert_right(small())


def test_a_training_image_that_is_a_validation_image_is_left_out(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make_small(server, tmp_path, monkeypatch, files(test=(5, 3, 6)))()
    data.fetch(quiet)
    train = data.train()
    assert data.train_counts == tuple(int(label in (7, 17, 27, 47)) for label in range(100))
    assert train.ids == ("train-00000", "train-00001", "train-00002", "train-00004")
    assert train.labels.tolist() == [7, 17, 27, 47]
    assert train.images[:, 2, 0, 0].tolist() == [0, 20, 40, 80]
    assert len(data.validation()) == 3
