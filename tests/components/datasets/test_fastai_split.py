"""imagewoof and imagenette with fastai's split: from its archives, checked, and named wherever results are shown."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from ddbench_components.datasets._download.archives import Archive
from ddbench_components.datasets._imagenet.fastai import FastaiSubset
from ddbench_components.datasets.imagenette import Imagenette
from ddbench_components.datasets.imagewoof import Imagewoof
from handmade_cifar import Server
from photographs import jpeg, tarball, write, zipped
from silence import quiet

from ddbench import ClassInfo, DataError, component
from ddbench.plan.graph import build_graph
from ddbench.plan.state import State
from ddbench.report.results import results_of
from ddbench.store import Store
from ddbench.suite import load_suite
from ddbench.testing import check_component
from ddbench.toolkit.home import data_home

FILES = {
    "train/n02111889/n02111889_10.JPEG": jpeg(1, 300, 256),
    "train/n02111889/ILSVRC2012_val_00000007.JPEG": jpeg(2, 257, 400),
    "train/n02088364/n02088364_1.JPEG": jpeg(3, 333, 301, "L"),
    "val/n02111889/n02111889_9.JPEG": jpeg(4, 320, 280),
    "val/n02088364/n02088364_2.JPEG": jpeg(5, 256, 256),
    "noisy_imagewoof.csv": b"path,noisy_labels_0\n",
}
ARCHIVE = tarball("twodogs2", FILES)


@component("dataset", "two-dogs", version=1)
class TwoDogs(FastaiSubset):
    """Two classes, not in the order of their folders."""

    classes = (ClassInfo("Samoyed", "n02111889", 258), ClassInfo("beagle", "n02088364", 162))
    train_counts = (1300, 1300)
    archive = Archive("http://127.0.0.1:9/twodogs2.tgz", "twodogs2")
    archive_counts = {"train": 3, "validation": 2}  # noqa: RUF012


@pytest.fixture
def dogs(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FastaiSubset:
    """Two dogs with fastai's split; the server has the archive."""
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(TwoDogs, "archive", Archive(server.url.rpartition("/")[0] + "/twodogs2.tgz", "twodogs2"))
    server.content = ARCHIVE
    return make()


def make() -> FastaiSubset:
    data = TwoDogs.configure(split="fastai")
    assert isinstance(data, FastaiSubset)
    return data


def assert_right(data: FastaiSubset) -> None:
    assert data.missing() is None
    train, validation = data.train(), data.validation()
    assert train.ids == ("n02111889/ILSVRC2012_val_00000007", "n02111889/n02111889_10", "n02088364/n02088364_1")
    assert train.labels.tolist() == [0, 0, 1]
    assert validation.ids == ("n02111889/n02111889_9", "n02088364/n02088364_2")
    assert validation.labels.tolist() == [0, 1]
    assert train.images.shape == (3, 3, 256, 256)
    assert train.images.dtype == torch.uint8


def left() -> list[str]:
    return sorted(path.name for path in data_home().iterdir())


def test_it_is_fetched_resumed_extracted_and_decoded(dogs: FastaiSubset, server: Server) -> None:
    server.breaks = [1000, 500]
    seen: list[tuple[str, int, int]] = []
    dogs.fetch(lambda *report: seen.append(report))
    assert_right(make())
    assert server.asked == [None, "bytes=1000-", "bytes=1500-"]
    assert list(dict.fromkeys(what for what, _, _ in seen)) == [
        "twodogs2.tgz",
        "extract twodogs2.tgz",
        "two-dogs train",
        "two-dogs validation",
    ]
    assert {what: done for what, done, total in seen if done == total}.keys() == {what for what, _, _ in seen}
    assert left() == ["cache", "twodogs2"]
    assert {path.name for path in (data_home() / "cache").iterdir()} - {"digests"} == {"two-dogs-fastai"}


def test_what_the_user_extracted_or_put_there_is_used(dogs: FastaiSubset, server: Server) -> None:
    data_home().mkdir()
    (data_home() / "twodogs2.tgz").write_bytes(ARCHIVE)
    dogs.fetch(quiet)
    assert_right(make())
    assert left() == ["cache", "twodogs2", "twodogs2.tgz"]
    assert server.asked == []


def test_a_folder_that_the_user_extracted_is_used_and_conforms(dogs: FastaiSubset, tmp_path: Path) -> None:
    write(data_home() / "twodogs2", FILES)
    assert_right(dogs)
    check_component(TwoDogs, tmp_path / "scratch", split="fastai")


def without(name: str) -> dict[str, bytes]:
    return {other: content for other, content in FILES.items() if other != name}


def swapped_class() -> dict[str, bytes]:
    return {name.replace("n02088364/", "n00000001/"): content for name, content in FILES.items()}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (ARCHIVE[:-300], "cannot be extracted: "),
        (b"<html>log in</html>", "cannot be extracted: "),
        (zipped("twodogs2", FILES)[:-200], "cannot be extracted: "),
        (tarball("twodogs2", without("val/n02088364/n02088364_2.JPEG")), " (beagle) does not exist"),
        (tarball("twodogs2", without("train/n02111889/n02111889_10.JPEG")), "train contains 2 .JPEG files, not 3"),
        (tarball("twodogs2", swapped_class()), "train/n02088364 (beagle)"),
        (tarball("twodogs2/../..", FILES), "contains a file that would be outside"),
        (tarball("other", FILES), "train does not exist"),
    ],
    ids=["cut short", "no archive", "cut zip", "class missing", "image missing", "other class", "outside", "other"],
)
def test_a_wrong_archive_is_refused_in_one_line(content: bytes, why: str, dogs: FastaiSubset, server: Server) -> None:
    data_home().mkdir()
    (data_home() / "twodogs2.tgz").write_bytes(content)
    server.content = content
    with pytest.raises(
        DataError, match=r"twodogs2\.tgz could not be fetched; tried .*put twodogs2\.tgz into"
    ) as caught:
        dogs.fetch(quiet)
    message = str(caught.value)
    assert message.count(why) == 2
    assert "\n" not in message
    assert not (data_home() / "twodogs2").exists()
    assert not (data_home().parent / "train").exists()
    (data_home() / "twodogs2.tgz").unlink()
    server.content = ARCHIVE
    dogs.fetch(quiet)
    assert_right(make())


def test_a_half_download_is_kept_and_goes_on(dogs: FastaiSubset, server: Server) -> None:
    server.breaks = [700, 0]
    with pytest.raises(DataError, match=rf"closed after 700 of {len(ARCHIVE):,} bytes"):
        dogs.fetch(quiet)
    assert "run `ddbench fetch two-dogs split=fastai`" in (dogs.missing() or "")
    dogs.fetch(quiet)
    assert_right(make())
    assert server.asked == [None, "bytes=700-", "bytes=700-"]


def test_a_digest_is_held_against_the_archive(
    dogs: FastaiSubset, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = TwoDogs.archive.url
    monkeypatch.setattr(TwoDogs, "archive", Archive(url, "twodogs2", hashlib.md5(ARCHIVE).hexdigest()))
    server.content = tarball("twodogs2", {**FILES, "another.csv": b""})
    with pytest.raises(DataError, match=r"has MD5 \w{32}, not \w{32}: it is cut short, damaged, or another release"):
        dogs.fetch(quiet)
    server.content = ARCHIVE
    dogs.fetch(quiet)
    assert_right(make())


def test_an_incomplete_folder_is_complained_of_and_not_replaced(dogs: FastaiSubset, server: Server) -> None:
    write(data_home() / "twodogs2", without("train/n02111889/n02111889_10.JPEG"))
    assert "train contains 2 .JPEG files, not 3; run `ddbench fetch" in (dogs.missing() or "")
    with pytest.raises(DataError, match=r"train contains 2 \.JPEG files, not 3; remove .*twodogs2 and fetch again"):
        dogs.fetch(quiet)
    assert server.asked == []
    assert len(list((data_home() / "twodogs2").rglob("*.JPEG"))) == 4


def test_a_data_folder_that_cannot_be_written_is_named(dogs: FastaiSubset) -> None:
    data_home().write_text("not a folder")
    with pytest.raises(DataError, match=r"data.*: cannot be written: .*DDBENCH_DATA"):
        dogs.fetch(quiet)


def test_the_splits_are_kept_apart(dogs: FastaiSubset, monkeypatch: pytest.MonkeyPatch) -> None:
    write(data_home() / "twodogs2", FILES)
    write(data_home() / "imagenet", {name: content for name, content in FILES.items() if "val_" not in name})
    monkeypatch.setattr(TwoDogs, "train_counts", (1, 1))
    monkeypatch.setattr(TwoDogs, "validation_count", 1)
    official = TwoDogs()
    assert len(official.train()) == 2
    assert_right(make())
    assert official.validation_counts == (1, 1)
    assert make().train_counts is make().validation_counts is None
    assert official.params.keyed() != make().params.keyed()


def test_declared_classes_are_those_that_are_checked(dogs: FastaiSubset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TwoDogs, "archive_class_counts", {"train": (2, 1), "validation": (1, 1)})
    write(data_home() / "twodogs2", FILES)
    data = make()
    assert_right(data)
    assert (data.train_counts, data.validation_counts) == ((2, 1), (1, 1))
    root = data_home() / "twodogs2" / "train"
    moved = root / "n02111889" / "n02111889_10.JPEG"
    moved.rename(root / "n02088364" / moved.name)
    assert "train/n02111889 (Samoyed) contains 1 .JPEG files, not 2; run `ddbench fetch" in (make().missing() or "")
    # Of ImageNet's own split nothing of this is known.
    assert TwoDogs().train_counts == (1300, 1300)


def test_the_classes_of_nettes_archive_are_imagenets() -> None:
    """It holds every image of ImageNet's two splits once, cut otherwise."""
    nette = Imagenette.configure(split="fastai")
    assert isinstance(nette, Imagenette)
    train, validation = nette.train_counts or (), nette.validation_counts or ()
    assert (sum(train), sum(validation)) == (9469, 3925)
    assert [t + v for t, v in zip(train, validation, strict=True)] == [n + 50 for n in Imagenette.train_counts or ()]


@pytest.mark.parametrize(("cls", "counts"), [(Imagewoof, (9025, 3929)), (Imagenette, (9469, 3925))])
def test_the_leak_and_the_counts_are_told(cls: type[FastaiSubset], counts: tuple[int, int]) -> None:
    assert tuple(cls.archive_counts.values()) == counts
    said = " ".join((cls.__doc__ or "").split())
    leaked = {Imagewoof: 3767, Imagenette: 3791}[cls]
    assert f"{leaked:,} of its {counts[1]:,} validation images ({100 * leaked / counts[1]:.1f} %)" in said


SUITE = """
suite: woof
dataset: {dataset}
protocol: smoke@1
ipc: [1]
students: [convnet3]
methods: {{real: {{generator: real, selector: random}}}}
"""


@pytest.mark.parametrize(
    ("dataset", "label"),
    [("imagewoof", "imagewoof"), ("{use: imagewoof, split: fastai}", "imagewoof (split=fastai)")],
)
def test_results_and_plans_name_the_split(dataset: str, label: str, tmp_path: Path) -> None:
    (tmp_path / "suite.yaml").write_text(SUITE.format(dataset=dataset))
    suite = load_suite(tmp_path / "suite.yaml")
    graph = build_graph(suite)
    assert suite.dataset.label == label
    assert [node.label for node in graph.nodes.values() if node.stage == "dataset"] == [label]
    state = State(graph, Store.open(tmp_path / "store")).resolve_all()
    assert results_of(suite, state).dataset == label
