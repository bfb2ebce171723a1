"""Every entry of a folder is an image, known clutter, or an error that names it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ddbench_components import _image_files
from ddbench_components._image_files import SUFFIXES, image_names

from ddbench import DataError

CLUTTER = [".DS_Store", "._a.png", "Thumbs.db", "desktop.ini", "Icon\r", "notes.txt", "metadata.jsonl", "captions.csv"]


def names(folder: Path) -> list[str]:
    return image_names(folder, SUFFIXES, "a picture that ddbench reads")


def test_images_are_listed_and_clutter_is_not(tmp_path: Path) -> None:
    images = ["10.png", "2.JPG", "a.jpeg", "b.jfif", "c.tiff", "é.webp"]
    for name in (*images, *CLUTTER):
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "2.JPG")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "x").touch()
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "x").touch()
    assert names(tmp_path) == sorted([*images, "link.png"])


def fill(folder: Path) -> None:
    folder.mkdir()
    (folder / "x.png").touch()


@pytest.mark.parametrize(
    ("name", "make", "said"),
    [
        ("more", fill, "is a folder within the folder of a class; move its images"),
        ("x.png", lambda p: p.symlink_to("nowhere"), "is a link to nothing; restore its target"),
        ("x.png", lambda p: p.symlink_to(p), "is a link to nothing; restore its target"),
        ("x.png", os.mkfifo, "is not a regular file; remove it"),
        *(
            (f"x.{suffix}", Path.touch, "is not a picture that ddbench reads; convert it")
            for suffix in ("heic", "jp2", "tga", "npy", "npz", "pt", "safetensors", "avif", "eps", "zip", "png~")
        ),
        ("x", Path.touch, "is not a picture that ddbench reads; convert it"),
    ],
)
def test_any_other_entry_is_named(tmp_path: Path, name: str, make: Callable[[Path], object], said: str) -> None:
    (tmp_path / "good.png").touch()
    make(tmp_path / name)
    with pytest.raises(DataError) as caught:
        names(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / name}: {said}")


def test_a_folder_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_image_files, "FILES_PER_FOLDER", 2)
    for name in "abc":
        (tmp_path / f"{name}.png").touch()
    with pytest.raises(DataError, match="holds more than 2 files"):
        names(tmp_path)
