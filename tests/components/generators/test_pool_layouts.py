"""Sets in the files of other projects, written here as their code writes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import torch
from pool_folders import DOGS, Dogs, make_pool, pixels, save, training
from torch import Tensor

import ddbench
from ddbench import ClassInfo, Context, DataError, Generator, TrainingData

CIFAR = replace(training([ClassInfo(name) for name in ("airplane", "automobile")]), name="cifar10")
MEAN, STD = (torch.tensor(v)[:, None, None] for v in ([0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.2010]))
PIXELS = {"mean": [0.4914, 0.4822, 0.4465], "std": [0.2023, 0.1994, 0.2010]}


def unit(seed: int, count: int = 4) -> Tensor:
    return torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(seed)) * 1.2 - 0.1


def write_dc(path: Path, experiments: int = 2, **other: Any) -> Path:
    """Save what ``main_DM.py`` saves: float32 images of each class in turn, int64 labels, accuracies of numpy."""
    labels = torch.tensor(np.array([np.ones(2) * c for c in range(2)]), dtype=torch.long).view(-1)
    data = [[((unit(e) - MEAN) / STD), labels] for e in range(experiments)]
    accuracies = {"ConvNet": [np.int64(3) / np.int64(7), np.float32(0.5)]}
    torch.save({"data": data, "accs_all_exps": accuracies, **other}, path)
    return path


def pool(path: Path, layout: str, data: TrainingData = CIFAR, **params: Any) -> Generator:
    name = "folder" if layout in ("minimax", "rded") else "pool-file"
    generator = cast("Generator", ddbench.create("generator", name, path=path, layout=layout, **params))
    generator.load(None, data, Context())
    return generator


def test_each_experiment_of_dc_is_a_generation_seed(tmp_path: Path) -> None:
    generator = pool(write_dc(tmp_path / "res_DM_CIFAR10_ConvNet_2ipc.pt"), "dc")
    assert generator.seeded
    assert generator.available(cast("Any", CIFAR)) is None
    for seed in range(2):
        for c in range(2):
            found = generator.sample_block(c, 0, Context(seed=seed))
            torch.testing.assert_close(found.images, unit(seed)[2 * c : 2 * c + 2])
            assert found.ids == tuple(f"{i:06d}" for i in (2 * c, 2 * c + 1))
    with pytest.raises(DataError, match="holds 2 sets, none for seed 2; use generation seeds from 0 to 1"):
        generator.sample_block(0, 0, Context(seed=2))


def test_numpy_1_named_its_scalars_otherwise(tmp_path: Path) -> None:
    """A file of the authors' time; the names have different lengths, so the archive is written anew."""
    import zipfile

    new, old = write_dc(tmp_path / "new.pt"), tmp_path / "old.pt"
    with zipfile.ZipFile(new) as source, zipfile.ZipFile(old, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            is_pickle = name.endswith("data.pkl")
            target.writestr(name, content.replace(b"numpy._core.", b"numpy.core.") if is_pickle else content)
    found = [pool(path, "dc").sample_block(0, 0, Context()).images for path in (old, new)]
    assert found[0].equal(found[1])


def test_the_classes_of_dc_can_be_named(tmp_path: Path) -> None:
    generator = pool(write_dc(tmp_path / "a.pt"), "dc", classes=["automobile", "airplane"])
    torch.testing.assert_close(generator.sample_block(0, 0, Context()).images, unit(0)[2:])


def write_ddranking(folder: Path, soft: Any = None, images: Any = None) -> Path:
    torch.save((unit(0) - MEAN) / STD if images is None else images, folder / "images.pt")
    if soft is not None:
        torch.save(soft, folder / "labels.pt")
    return folder


def test_ddranking(tmp_path: Path) -> None:
    logits = torch.randn(4, 2).requires_grad_()
    generator = pool(write_ddranking(tmp_path, logits), "ddranking", pixels=PIXELS)
    assert generator.has_soft_labels
    assert not generator.seeded
    for c in range(2):
        found = generator.sample_block(c, 0, Context(seed=5))
        torch.testing.assert_close(found.images, unit(0)[2 * c : 2 * c + 2])
        assert found.soft_logits is not None
        assert found.soft_logits.equal(logits[2 * c : 2 * c + 2].detach())
    before = generator.fingerprint()
    (tmp_path / "labels.pt").unlink()
    assert not generator.has_soft_labels
    assert generator.fingerprint() != before
    assert pool(tmp_path, "ddranking", pixels=PIXELS).sample_block(0, 0, Context()).soft_logits is None


def test_the_class_order_of_ddranking(tmp_path: Path) -> None:
    """It has the order of this data set for ImageWoof; for folders of images it is in doubt."""
    woof = cast("Any", ddbench.create("dataset", "imagewoof"))
    indices = [c.imagenet_index for c in woof.classes]
    assert indices == [193, 182, 258, 162, 155, 167, 159, 273, 207, 229], "DD-Ranking's list for ImageWoof"
    write_ddranking(tmp_path, images=torch.arange(10, dtype=torch.uint8)[:, None, None, None].repeat(1, 3, 4, 4))
    data = replace(training(woof.classes), name="imagewoof")
    generator = pool(tmp_path, "ddranking", data)
    assert [int(generator.sample_block(c, 0, Context()).images[0, 0, 0, 0]) for c in range(10)] == list(range(10))
    with pytest.raises(DataError, match="names no classes for its labels"):
        pool(tmp_path, "ddranking", replace(data, name="mine"))


class Code:
    """An object whose class a file of torch would import."""


def other(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


LABELS = torch.tensor([0, 0, 1, 1])
WRONG: dict[str, Callable[[Path], Path]] = {
    "is not of the layout 'dc': it holds no list 'data'": lambda p: other(p, {"state": {}}),
    "is not of the layout 'dc': it holds": lambda p: other(p, torch.zeros(2)),
    "is not of the layout 'dc': 'data' does not list pairs of": lambda p: other(p, {"data": [[torch.zeros(2)]]}),
    "is not of the layout 'dc': its images are not a tensor": lambda p: other(p, {"data": [["a", LABELS]]}),
    "is not of the layout 'dc': its images have the shape [4, 1, 4, 4], not": lambda p: other(
        p, {"data": [[torch.zeros(4, 1, 4, 4), LABELS]]}
    ),
    "is not of the layout 'dc': its images are one image, repeated": lambda p: other(
        p, {"data": [[torch.zeros(1).expand(10**9, 3, 4, 4), LABELS]]}
    ),
    "is not of the layout 'dc': its labels are not int64 of shape [4]": lambda p: other(
        p, {"data": [[unit(0), LABELS[:3]]]}
    ),
    "gives image 2 the label 7; the classes are 0 … 1": lambda p: other(
        p, {"data": [[unit(0), torch.tensor([0, 1, 7, 1])]]}
    ),
    "holds no image of class 1, 'automobile'": lambda p: other(p, {"data": [[unit(0), torch.zeros(4).long()]]}),
    "cannot be read safely: it holds other objects than tensors, or is damaged; save its": lambda p: other(
        p, {"data": Code()}
    ),
    "cannot be read safely: it holds other objects than tensors, or is damaged": lambda p: Path(
        p.write_bytes(b"PK not a file") and p
    ),
    "there is no such file": lambda p: p,
}


@pytest.mark.parametrize("message", WRONG)
def test_a_file_that_is_not_of_dc_is_told(tmp_path: Path, message: str) -> None:
    path = WRONG[message](tmp_path / "a.pt")
    assert_told(path, message, lambda: pool(path, "dc", pixels=PIXELS))


def assert_told(path: Path, message: str, ask: Callable[[], Any]) -> None:
    with pytest.raises(DataError) as error:
        ask()
    assert str(error.value).startswith(f"{path}: {message}")
    assert "\n" not in str(error.value)


def test_what_is_no_folder_for_ddranking_is_told(tmp_path: Path) -> None:
    images, labels = tmp_path / "images.pt", tmp_path / "labels.pt"
    assert_told(images, "there is no such file", lambda: pool(tmp_path, "ddranking"))
    write_ddranking(tmp_path)
    assert_told(images, "has float images of unknown normalisation; add", lambda: pool(tmp_path, "ddranking"))
    write_ddranking(tmp_path, soft=torch.zeros(4, 3))
    problem = "is not of the layout 'ddranking': it holds [4, 3], not logits of shape [4, 2]"
    assert_told(labels, problem, lambda: pool(tmp_path, "ddranking", pixels=PIXELS))
    write_ddranking(tmp_path, images=torch.zeros(5, 3, 4, 4))
    problem = "is not of the layout 'ddranking': 5 images are not equally many of 2 classes"
    assert_told(images, problem, lambda: pool(tmp_path, "ddranking", pixels=PIXELS))


def test_dc_normalises_cifar_100_in_two_ways(tmp_path: Path) -> None:
    path = write_dc(tmp_path / "a.pt")
    unknown = replace(CIFAR, name="cifar100")
    assert_told(path, "has float images of unknown normalisation; add", lambda: pool(path, "dc", unknown))


def test_minimax_sorts_names_as_text(tmp_path: Path) -> None:
    """Of 0.png … 11.png its code takes 0, 1, 10, 11 first."""
    make_pool(tmp_path, [str(c.wnid) for c in DOGS], [f"{i}.png" for i in range(12)])
    samples = pool(tmp_path, "minimax", training()).sample_block(1, 0, Context())
    assert [i.split("/")[1] for i in samples.ids[:4]] == ["0.png", "1.png", "10.png", "11.png"]
    own = cast("Generator", ddbench.create("generator", "folder", path=tmp_path, order="lexicographic"))
    named = cast("Generator", ddbench.create("generator", "folder", path=tmp_path, layout="minimax"))
    assert (own.params.keyed(), own.fingerprint()) == (named.params.keyed(), named.fingerprint())
    natural = pool(tmp_path, "minimax", training(), order="natural").sample_block(1, 0, Context())
    assert [i.split("/")[1] for i in natural.ids[:3]] == ["0.png", "1.png", "2.png"]


def write_rded(root: Path, classes: int = 3, **changed: str) -> Path:
    for c in range(classes):
        for i in range(2):
            save(root / f"{c:05d}" / f"class{c:05d}_id{i:05d}.jpg", 10 * c + i, quality=100, subsampling=0)
    return root


def test_rded_numbers_classes_in_an_order_that_must_be_named(tmp_path: Path) -> None:
    write_rded(tmp_path)
    names = ["dingo", "Rhodesian ridgeback", "golden_retriever"]
    generator = pool(tmp_path, "rded", training(), classes=names)
    assert generator.available(Dogs()) == (2, 2, 2)
    ridgeback = generator.sample_block(0, 0, Context())
    assert ridgeback.ids == ("00001/class00001_id00000.jpg", "00001/class00001_id00001.jpg")
    assert ridgeback.notes == ("2 of 2 images in '00001' are JPEG",)
    plain = torch.from_numpy(pixels(10)).permute(2, 0, 1)
    assert (ridgeback.images[0].int() - plain.int()).abs().float().mean() < 30, "JPEG loses detail"
    woof = replace(training(), ambiguous_order=True)
    with pytest.raises(DataError, match="the folders are numbered, which could follow another order"):
        pool(tmp_path, "rded", woof)
    other_names = pool(tmp_path, "rded", woof, classes=names[::-1])
    assert other_names.sample_block(2, 0, Context()).ids[0].startswith("00002/")
    assert other_names.fingerprint() != generator.fingerprint()


@pytest.mark.parametrize(
    ("layout", "folder", "file"),
    [
        ("minimax", "dingo", "0.png"),
        ("minimax", "n02115641", "0.jpg"),
        ("minimax", "n02115641", "dog.png"),
        ("rded", "0", "class00000_id00000.jpg"),
        ("rded", "00000", "class00001_id00000.jpg"),
        ("rded", "00000", "0.jpg"),
    ],
)
def test_a_folder_that_is_not_of_its_layout_is_told(tmp_path: Path, layout: str, folder: str, file: str) -> None:
    save(tmp_path / folder / file, 0)
    generator = cast("Generator", ddbench.create("generator", "folder", path=tmp_path, layout=layout))
    with pytest.raises(DataError) as error:
        generator.fingerprint()
    assert str(error.value).startswith(f"{tmp_path / folder}")
    assert f"is not of the layout '{layout}'; its files are like" in str(error.value)
    assert "\n" not in str(error.value)


def test_names_for_other_folders_are_told(tmp_path: Path) -> None:
    make_pool(tmp_path, ["0", "1", "dingo"])
    generator = cast("Generator", ddbench.create("generator", "folder", path=tmp_path, classes=list("abc")))
    with pytest.raises(DataError, match="has 3 folders that are not the 3 classes by number; list a name"):
        generator.load(None, training(), Context())
