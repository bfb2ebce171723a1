"""The way of a person with photographs: init, plan, run, and a pool of pictures made elsewhere."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from ddbench.suite import load_suite
from tests.conftest import Cli
from tests.photos.pictures import BAD, CLASSES, TURNED, picture, remove_bad, write_bad, write_good


@pytest.fixture(autouse=True)
def data_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Usable pictures of many kinds in one folder."""
    write_good(tmp_path / "photos")
    return tmp_path / "photos"


def test_from_photographs_to_a_plan(cli: Cli, photos: Path, tmp_path: Path) -> None:
    write_bad(photos)
    usable = sum(1 for path in photos.glob("*/*") if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".tif", ".webp"})
    usable -= sum(name.endswith((".png", ".jpg")) for name in BAD if "/" in name)
    done = cli("init", "--images", "photos", "--to", "mine/suite.yaml")
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == len(BAD)
    for name, why in BAD.items():
        assert any(line.startswith(f"not usable: photos/{name}: {why}") for line in lines), name
    found = re.match(r"3 classes · (\d+) train · (\d+) val · smallest: ", done.stdout)
    assert found is not None
    assert int(found[1]) + int(found[2]) == usable
    assert "photos has no validation folder: `split: 0." in done.stdout
    assert f"{TURNED} pictures are turned upright by EXIF data" in done.stdout
    assert "image_size: 32; 1 smaller picture will be enlarged" in done.stdout
    assert "8 entries are not usable: mend or move them before `ddbench plan`" in done.stdout
    assert cli("plan", "mine/suite.yaml").stderr.count("\n") == 1
    remove_bad(photos)
    planned = cli("plan", "mine/suite.yaml")
    assert planned.returncode == 0, planned.stderr
    assert "24 cells, 0 with results" in planned.stdout
    suite = load_suite(tmp_path / "mine" / "suite.yaml")
    assert {cell.row.name for cell in suite.cells} == {"First", "Random", "K-Center", "Herding"}
    assert {cell.ipc for cell in suite.cells} == {10}
    counts = suite.dataset.component
    assert (sum(counts.train_counts or ()), sum(counts.validation_counts or ())) == (int(found[1]), int(found[2]))
    assert [c.name for c in counts.classes] == list(CLASSES)


def test_a_validation_folder_is_found(cli: Cli, tmp_path: Path) -> None:
    for label, name in enumerate(CLASSES):
        for split, numbers in (("train", range(4 + label)), ("valid", range(10, 35))):
            (tmp_path / "photos" / split / name).mkdir(parents=True)
            for number in numbers:
                picture(label, number, 70, 80).save(tmp_path / "photos" / split / name / f"{number}.png")
    done = cli("init", "--images", "photos")
    # 1.96 √(¼ / 75) = 11.3 %
    assert done.stdout.splitlines() == [
        "3 classes · 15 train · 75 val · smallest: coat 4/25 · 75 validation images tell apart differences of about "
        "±11.3 points",
        "image_size: 64",
        "ipc: 4 (the smallest class has no more)",
        "wrote photos.yaml; edit it, then run `ddbench plan photos.yaml` and `ddbench run photos.yaml`",
    ]
    assert "split" not in (tmp_path / "photos.yaml").read_text()
    assert cli("plan", "photos.yaml").returncode == 0
    (tmp_path / "photos" / "valid").rename(tmp_path / "photos" / "test")
    (tmp_path / "photos" / "val").mkdir()
    refused = cli("init", "--images", "photos", "--to", "two.yaml")
    assert "photos has the folders 'val' and 'test'; name the one" in refused.stderr
    assert cli("init", "--images", "photos", "--to", "two.yaml", "--validation", "test").returncode == 0
    assert cli("plan", "two.yaml").returncode == 0


def test_a_train_folder_alone_is_divided(cli: Cli, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    photos.rename(tmp_path / "all" / "train")
    done = cli("init", "--images", "all")
    assert "all/train has no validation folder" in done.stdout
    assert cli("plan", "all.yaml").returncode == 0


@pytest.mark.parametrize("name", ['My "pics", {été} #1', "2024", "~me", "- x: y"])
def test_any_name_of_a_folder_makes_a_suite(name: str, cli: Cli, photos: Path, tmp_path: Path) -> None:
    photos.rename(tmp_path / name)
    done = cli("init", "--images", f"./{name}")
    assert done.returncode == 0, done.stderr
    assert f"ddbench plan {shlex.quote(name)}.yaml" in done.stdout.replace(".yaml'", "'.yaml")
    planned = cli("plan", f"./{name}.yaml")
    assert planned.returncode == 0, planned.stderr


def test_a_picture_of_both_splits_is_told(cli: Cli, tmp_path: Path) -> None:
    for label, name in enumerate(CLASSES):
        for split, first in (("train", 0), ("val", 3)):
            (tmp_path / "photos" / split / name).mkdir(parents=True)
            for number in range(first, first + 4):
                picture(label, number).save(tmp_path / "photos" / split / name / f"{split}-{number}.png")
    done = cli("init", "--images", "photos")
    assert done.stderr.splitlines() == [
        f"not usable: photos/val/{name}/val-3.png: is a training picture too, photos/train/{name}/train-3.png; "
        "remove one of them"
        for name in CLASSES
    ]
    assert "12 train · 9 val" in done.stdout


def only_empty(root: Path) -> None:
    for name in CLASSES:
        (root / name).mkdir(parents=True)


def one_class(root: Path) -> None:
    (root / "cat").mkdir(parents=True)
    for number in range(4):
        picture(0, number).save(root / "cat" / f"{number}.png")


def one_picture(root: Path) -> None:
    one_class(root)
    (root / "dog").mkdir()
    picture(1, 0).save(root / "dog" / "0.png")


def none_usable(root: Path) -> None:
    one_class(root)
    (root / "dog").mkdir()
    for number in range(9):
        (root / "dog" / f"{number}.png").write_bytes(bytes([number]))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda root: None, "the folder photos does not exist"),
        (lambda root: root.write_bytes(b""), "photos is a file, not a folder"),
        (lambda root: root.mkdir(), "photos contains no class folders"),
        (only_empty, "photos/coat contains no images"),
        (one_class, "photos contains one class, 'cat'; at least two are needed"),
        (one_picture, "class 'dog' has no usable "),
        (none_usable, "class 'dog' has no usable "),
    ],
)
def test_a_folder_that_cannot_be_used_is_one_line(make: object, said: str, cli: Cli, tmp_path: Path) -> None:
    assert callable(make)
    make(tmp_path / "photos")
    done = cli("init", "--images", "photos")
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr.splitlines()[-1]
    assert sum(line.startswith("error: ") for line in done.stderr.splitlines()) == 1
    assert not (tmp_path / "photos.yaml").exists()


def test_an_unreadable_folder_is_one_line(
    cli: Cli, photos: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import os

    scan = os.scandir

    def denied(path: Path) -> object:
        if Path(path).name == "coat":
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", denied)
    done = cli("init", "--images", "photos")
    assert done.returncode == 2
    assert done.stderr.startswith("error: image-folder: photos/coat cannot be read: Permission denied; ")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "photos.yaml").exists()


def test_a_suite_is_not_overwritten_and_init_takes_one_thing(cli: Cli, photos: Path, tmp_path: Path) -> None:
    (tmp_path / "photos.yaml").write_text("mine")
    done = cli("init", "--images", "photos")
    assert done.stderr == "error: photos.yaml already exists; choose another file: --to FILE\n"
    assert (tmp_path / "photos.yaml").read_text() == "mine"
    for arguments in ([], ["smoke", "--images", "photos"]):
        said = "error: init needs either a suite or a folder of images; write `ddbench init SUITE` or "
        assert cli("init", *arguments).stderr.startswith(said)


@pytest.mark.slow
def test_from_photographs_to_a_table_and_the_chosen_images(cli: Cli, photos: Path, tmp_path: Path) -> None:
    assert cli("init", "--images", "photos").returncode == 0
    ended = cli("run", "photos.yaml", "--device", "cpu")
    assert ended.returncode == 0, ended.stderr
    for row in ("First", "Random", "K-Center", "Herding"):
        assert re.search(rf"^\| {row} +\| ", ended.stdout, re.MULTILINE)
    written = cli("sets", "photos.yaml", "Herding", "--to", "kept")
    assert written.returncode == 0, written.stderr
    assert len(list((tmp_path / "kept").rglob("*.png"))) == 30
    kept = [json.loads(line) for line in (tmp_path / "kept" / "metadata.jsonl").read_text().splitlines()]
    assert len({entry["id"] for entry in kept}) == 30
    assert all((photos / entry["id"]).is_file() for entry in kept), "ids are the files of the photographs"
    assert cli("gallery", "photos.yaml", "--to", "gallery.html").returncode == 0
