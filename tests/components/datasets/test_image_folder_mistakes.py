"""image-folder: folders and images that cannot be used, and the messages that say so."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ddbench_components import _digests as _file_digests
from image_folders import data
from photographs import jpeg, write
from silence import quiet

from ddbench import DataError
from ddbench.toolkit.files import file_sha256

pytestmark = pytest.mark.usefixtures("empty_data_home")


@pytest.mark.parametrize("denied", ["train/dog", "train/dog/b.bmp"])
def test_what_may_not_be_read_is_named_in_one_line(denied: str, pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unless_denied(do: Callable[[Path], object]) -> Callable[[Path], object]:
        def done(path: Path) -> object:
            if path == pets / denied:
                raise PermissionError(13, "Permission denied", str(path))
            return do(path)

        return done

    monkeypatch.setattr("os.scandir", unless_denied(os.scandir))
    monkeypatch.setattr(_file_digests, "file_sha256", unless_denied(file_sha256))
    for act in (lambda: data(pets).fingerprint(), lambda: data(pets).train(), lambda: data(pets).fetch(quiet)):
        with pytest.raises(DataError) as caught:
            act()
        assert str(caught.value).startswith(f"image-folder: {pets / denied} cannot be read: Permission denied; store")
        assert "\n" not in str(caught.value)


def remove(*names: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        for name in names:
            for path in sorted((root / name).rglob("*"), reverse=True):
                path.unlink() if path.is_file() else path.rmdir()
            (root / name).rmdir()

    return change


def empty(root: Path) -> None:
    for path in (root / "val" / "dog").iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (remove("."), "the folder {root} does not exist"),
        (remove("val"), "the folder {root}/val does not exist"),
        (remove("val/dog", "val/tom cat"), "{root}/val contains no class folders"),
        (remove("val/dog"), "class 'dog' has a folder in {root}/train, but not in val"),
        (remove("train/tom cat"), "class 'tom cat' has a folder in {root}/val, but not in train"),
        (remove("train/dog", "val/dog"), "{root}/train contains one class, 'tom cat'; at least two are needed"),
        (empty, "{root}/val/dog contains no images"),
    ],
    ids=["no folder", "no split", "no classes", "not in val", "not in train", "one class", "empty class"],
)
def test_what_is_wrong_is_said_in_one_line(change: Callable[[Path], None], why: str, pets: Path) -> None:
    change(pets)
    said = f"image-folder: {why.format(root=pets)}; store images as PATH/{{train,val}}/<class>/*"
    assert (data(pets).missing() or "").startswith(said)
    for act in (lambda: data(pets).train(), lambda: data(pets).fingerprint(), lambda: data(pets).fetch(quiet)):
        with pytest.raises(DataError) as caught:
            act()
        assert str(caught.value).startswith(said)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"not an image", jpeg(1, 60, 60)[:900]], ids=["empty", "text", "cut"])
def test_an_unreadable_image_is_named_in_one_line(content: bytes, pets: Path) -> None:
    write(pets, {"val/dog/notes.png": content})
    with pytest.raises(
        DataError, match=r"val/dog/notes\.png: cannot be decoded \(.*\); replace it by an undamaged"
    ) as caught:
        data(pets).fetch(quiet)
    assert "\n" not in str(caught.value)
