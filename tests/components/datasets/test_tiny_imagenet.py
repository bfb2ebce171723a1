"""tiny-imagenet: the archive's two layouts, one for each split, and its own order of the classes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from ddbench_components.datasets._download.archives import Archive
from ddbench_components.datasets._imagenet.classes import imagenet_class
from ddbench_components.datasets.tiny_imagenet import TinyImagenet
from handmade_cifar import Server
from photographs import jpeg, write, zipped
from PIL import Image
from silence import quiet

from ddbench import ClassInfo, DataError, component, create
from ddbench.testing import check_component
from ddbench.toolkit.home import data_home

FISH, FROG = "n01443537", "n01641577"
ANNOTATIONS = f"val_2.JPEG\t{FROG}\t0\t32\t44\t62\nval_10.JPEG\t{FISH}\t1\t2\t3\t4\nval_0.JPEG\t{FROG}\t0\t0\t63\t63\n"
FILES = {
    "wnids.txt": f"{FROG}\n{FISH}\n".encode(),
    "words.txt": f"{FISH}\tgoldfish, Carassius auratus\n{FROG}\tbullfrog\n".encode(),
    f"train/{FROG}/images/{FROG}_0.JPEG": jpeg(1, 64, 64),
    f"train/{FROG}/images/{FROG}_10.JPEG": jpeg(2, 64, 64, "L"),
    f"train/{FROG}/{FROG}_boxes.txt": b"",
    f"train/{FISH}/images/{FISH}_2.JPEG": jpeg(3, 64, 64),
    f"train/{FISH}/images/{FISH}_1.JPEG": jpeg(4, 64, 64),
    "val/images/val_0.JPEG": jpeg(5, 64, 64),
    "val/images/val_2.JPEG": jpeg(6, 64, 64, "L"),
    "val/images/val_10.JPEG": jpeg(7, 64, 64),
    "val/images/val_11.JPEG": jpeg(8, 64, 64),
    "val/val_annotations.txt": f"{ANNOTATIONS}val_11.JPEG\t{FISH}\t0\t0\t1\t1\n".encode(),
    "test/images/test_0.JPEG": jpeg(9, 64, 64),
}
ARCHIVE = zipped("tiny-imagenet-200", FILES)


@component("dataset", "tiny", version=1)
class Tiny(TinyImagenet):
    """Two classes of two images a split."""

    classes = tuple(filter(None, map(imagenet_class, (FISH, FROG))))
    counts = {"train": 2, "validation": 2}  # noqa: RUF012


@pytest.fixture
def tiny(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tiny:
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))
    url = server.url.rpartition("/")[0] + "/tiny-imagenet-200.zip"
    monkeypatch.setattr(Tiny, "archive", Archive(url, "tiny-imagenet-200", hashlib.md5(ARCHIVE).hexdigest()))
    server.content = ARCHIVE
    return Tiny()


def assert_right(data: Tiny) -> None:
    assert data.missing() is None
    root = data_home() / "tiny-imagenet-200"
    train, validation = data.train(), data.validation()
    assert train.ids == (f"{FISH}_1", f"{FISH}_2", f"{FROG}_0", f"{FROG}_10")
    assert validation.ids == ("val_10", "val_11", "val_0", "val_2")
    for split, folder in ((train, None), (validation, root / "val" / "images")):
        assert split.labels.tolist() == [0, 0, 1, 1]
        for image, name in zip(split.images, split.ids, strict=True):
            own = folder or root / "train" / name.partition("_")[0] / "images"
            with Image.open(own / f"{name}.JPEG") as file:
                pixels = torch.tensor(list(file.convert("RGB").tobytes()), dtype=torch.uint8)
            assert image.equal(pixels.view(64, 64, 3).permute(2, 0, 1))


def test_what_is_declared() -> None:
    data = create("dataset", "tiny-imagenet")
    assert isinstance(data, TinyImagenet)
    wnids = [str(c.wnid) for c in data.classes]
    assert len(set(wnids)) == 200
    assert wnids == sorted(wnids)
    assert (wnids[0], wnids[-1]) == (FISH, "n12267677")
    assert data.classes[0] == ClassInfo("goldfish", FISH, 1)
    # The first of the archive's own list, which is in another order.
    assert {"n02124075", "n04067472", "n04540053", "n04099969", "n07749582"} < set(wnids)
    assert data.counts == {"train": 500, "validation": 50}
    assert (data.train_counts, data.validation_counts) == ((500,) * 200, (50,) * 200)


def test_it_is_fetched_checked_extracted_and_decoded(tiny: Tiny, server: Server) -> None:
    server.breaks = [2000]
    tiny.fetch(quiet)
    assert_right(Tiny())
    assert server.asked == [None, "bytes=2000-"]
    assert sorted(path.name for path in data_home().iterdir()) == ["cache", "tiny-imagenet-200"]


@pytest.mark.parametrize("form", ["archive", "folder"])
def test_what_the_user_put_there_is_used(form: str, tiny: Tiny, server: Server, tmp_path: Path) -> None:
    write(data_home(), {"tiny-imagenet-200.zip": ARCHIVE})
    if form == "folder":
        write(data_home() / "tiny-imagenet-200", FILES)
    tiny.fetch(quiet)
    assert_right(Tiny())
    assert server.asked == []
    for found, declared in ((tiny.train(), tiny.train_counts), (tiny.validation(), tiny.validation_counts)):
        assert tuple(found.labels.bincount().tolist()) == declared == (2, 2)
    check_component(Tiny, tmp_path / "scratch")


@pytest.mark.parametrize("content", [ARCHIVE[:-100], ARCHIVE + b"x", b"<html>"], ids=["cut", "longer", "no archive"])
def test_another_archive_is_refused_in_one_line(content: bytes, tiny: Tiny, server: Server) -> None:
    server.content = content
    with pytest.raises(DataError, match=r"zip could not be fetched; tried .* \(has MD5 \w{32}, not") as caught:
        tiny.fetch(quiet)
    assert "\n" not in str(caught.value)
    assert tiny.missing() is not None


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        (f"train/{FROG}/images/{FROG}_0.JPEG", None, f"train contains 1 .JPEG files of {FROG} (bullfrog), not 2"),
        ("val/images/val_2.JPEG", None, f"val contains 1 .JPEG files of {FROG} (bullfrog), not 2"),
        ("val/val_annotations.txt", None, "val_annotations.txt cannot be read: No such file"),
        ("val/val_annotations.txt", b"val_0.JPEG n1\n", "val_annotations.txt:1 names no class of Tiny ImageNet"),
    ],
)
def test_a_gap_is_told_in_one_line(name: str, content: bytes | None, why: str, tiny: Tiny) -> None:
    root = data_home() / "tiny-imagenet-200"
    write(root, FILES)
    (root / name).unlink()
    if content is not None:
        write(root, {name: content})
    problem = tiny.missing() or ""
    assert problem.startswith("tiny: ")
    assert why in problem
    assert problem.endswith(f"run `ddbench fetch tiny`, or extract tiny-imagenet-200.zip into {data_home()}")
    with pytest.raises(DataError) as caught:
        tiny.train()
    assert str(caught.value) == problem


def test_a_training_image_that_is_a_validation_image_is_left_out(tiny: Tiny, tmp_path: Path) -> None:
    same = FILES["val/images/val_2.JPEG"]
    write(data_home() / "tiny-imagenet-200", {**FILES, f"train/{FISH}/images/{FISH}_1.JPEG": same})
    assert tiny.train_counts == (2, 2)
    train = tiny.train()
    assert tiny.train_counts == (1, 2)
    assert train.ids == (f"{FISH}_2", f"{FROG}_0", f"{FROG}_10")
    assert train.labels.tolist() == [0, 1, 1]
    assert len(tiny.validation()) == 4
    check_component(Tiny, tmp_path / "scratch")


def test_saying_what_is_missing_needs_no_torch() -> None:
    code = (
        "import sys\n"
        "from ddbench_components.datasets.tiny_imagenet import TinyImagenet as A\n"
        "from ddbench_components.datasets.cifar100 import Cifar100 as B\n"
        "from ddbench_components.datasets.imagewoof import Imagewoof as C\n"
        "for data in (A(), B(), C.configure(split='fastai')):\n"
        "    assert 'ddbench fetch' in data.missing()\n"
        "print([m for m in ('torch', 'numpy', 'PIL', 'safetensors') if m in sys.modules])"
    )
    env = {**os.environ, "DDBENCH_DATA": "/nowhere"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert run.stdout == "[]\n"
