"""`ddbench pool` makes a pool from pictures of any size, all of it or nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.conftest import Cli
from tests.photos.pictures import CLASSES, picture

SUITE = """\
suite: photos
dataset: {use: image-folder, path: photos, image_size: 16}
protocol: smoke@1
ipc: [1]
students: [convnet3]
"""
ROWS = "methods: {First: {generator: real, selector: first}}\n"


@pytest.fixture(autouse=True)
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a data set with a suite, and pictures of its classes under other spellings."""
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))
    for label, name in enumerate(CLASSES):
        for split in ("train", "val"):
            folder = tmp_path / "photos" / split / name
            folder.mkdir(parents=True)
            picture(label, ord(split[0])).save(folder / "0.png")
        made = tmp_path / "made" / name.replace(" ", "_").upper()
        made.mkdir(parents=True)
        for number in (2, 10, 1):
            picture(label, 60 + number, 50, 30).save(made / f"{number}.jpg", quality=95)
    (tmp_path / "suite.yaml").write_text(SUITE + ROWS)


def centre(image: Image.Image) -> Image.Image:
    """Return what a picture of 50 × 30 px becomes: 26 × 16 px, of which the middle 16 columns are kept."""
    return image.convert("RGB").resize((26, 16), Image.Resampling.BILINEAR).crop((5, 0, 21, 16))


def test_pictures_become_a_pool_that_a_suite_takes(cli: Cli, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = picture(0, 70, 30, 50)  # a turn to the right makes it 50 × 30
    lying.save(tmp_path / "made/COAT/11.png", exif=exif)
    (tmp_path / "made/bonnet").mkdir()
    (tmp_path / "made/COAT/Thumbs.db").write_bytes(b"x")
    done = cli("pool", "made", "--data", "suite.yaml", "--to", "pools/mine")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "pools/mine: 10 pictures of 16 px, 3–4 a class",
        "COAT 4, RAIN_BOOT 3, SKIRT 3",
        "turned upright by EXIF data: 1",
        "not in the data set, left out: bonnet",
        "Add to suite.yaml:",
        "",
        "generators:",
        '  mine: {use: folder, path: "pools/mine"}',
        "methods:",
        "  Mine: {generator: mine, selector: first}",
    ]
    pool = tmp_path / "pools" / "mine"
    assert sorted(path.name for path in (pool / "COAT").iterdir()) == ["0.png", "1.png", "2.png", "3.png"]
    for place, name in enumerate(("1.jpg", "2.jpg", "10.jpg")):
        with Image.open(tmp_path / "made/COAT" / name) as source, Image.open(pool / f"COAT/{place}.png") as made:
            assert np.array_equal(np.asarray(made), np.asarray(centre(source)))
    with Image.open(pool / "COAT/3.png") as made:
        upright = centre(lying.transpose(Image.Transpose.ROTATE_270))
        assert np.array_equal(np.asarray(made), np.asarray(upright))
    printed = "\n".join(done.stdout.splitlines()[6:])
    (tmp_path / "suite.yaml").write_text(f"{SUITE}{printed}\n")
    planned = cli("plan", "suite.yaml")
    assert planned.returncode == 0, planned.stderr
    assert "10 images, 3–4 a class" in planned.stdout


def test_bad_pictures_are_all_told_and_nothing_is_written(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "made/COAT/3.png").write_bytes(b"no picture")
    (tmp_path / "made/SKIRT/x.heic").write_bytes(b"")
    (tmp_path / "made/SKIRT/gone.jpg").symlink_to("nowhere")
    before = set(tmp_path.iterdir())
    done = cli("pool", "made", "--data", "suite.yaml", "--to", "mine")
    assert (done.returncode, done.stdout) == (2, "")
    *lines, last = done.stderr.splitlines()
    assert [line.split(": ")[1] for line in sorted(lines)] == [
        "made/COAT/3.png",
        "made/SKIRT/gone.jpg",
        "made/SKIRT/x.heic",
    ]
    assert last == "error: made has 3 entries that cannot be used; nothing is written; mend or move them"
    assert set(tmp_path.iterdir()) - {tmp_path / "data"} == before


def test_a_shipped_suite_needs_a_whole_path(cli: Cli, tmp_path: Path) -> None:
    from ddbench.suite import load_suite

    for info in load_suite("smoke").dataset.component.classes:
        (tmp_path / "ten" / info.name).mkdir(parents=True)
        picture(0, 1).save(tmp_path / "ten" / info.name / "a.png")
    done = cli("pool", "ten", "--data", "smoke", "--to", "mine")
    assert done.stdout.startswith("mine: 10 pictures of 32 px, 1 a class\n")
    assert f'path: "{tmp_path.resolve()}/mine"' in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["made", "--data", "suite.yaml", "--to", "photos"], "photos already exists; choose another folder: --to DIR"),
        (["gone", "--data", "suite.yaml", "--to", "x"], "gone: there is no such folder; check the path"),
        (["suite.yaml", "--data", "suite.yaml", "--to", "x"], "suite.yaml: there is no such folder; check the path"),
        (["photos", "--data", "suite.yaml", "--to", "x"], "photos: no folder for class 'coat'; name the folders by"),
        (["made", "--data", "gone.yaml", "--to", "x"], "gone.yaml: the file does not exist"),
        (["made", "--data", "suite.yaml", "--to", "/proc/x/y"], "cannot write /proc/x/y: "),
    ],
)
def test_a_mistake_is_one_line(arguments: list[str], said: str, cli: Cli, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    done = cli("pool", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {said}")
    assert len(done.stderr.splitlines()) == 1
    assert set(tmp_path.iterdir()) - {tmp_path / "data"} == before


def test_an_empty_class_is_one_line(cli: Cli, tmp_path: Path) -> None:
    for path in (tmp_path / "made/SKIRT").iterdir():
        path.unlink()
    done = cli("pool", "made", "--data", "suite.yaml", "--to", "mine")
    assert done.stderr == "error: made/SKIRT: holds no pictures; add pictures of the class\n"
    assert not (tmp_path / "mine").exists()
