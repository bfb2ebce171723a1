"""image-folder: one's own images are known by content and not by path."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from ddbench_components import _digests as _file_digests
from image_folders import data, flip

from ddbench.toolkit.files import file_sha256

pytestmark = pytest.mark.usefixtures("empty_data_home")


def test_it_is_known_by_content_and_not_by_path(pets: Path, tmp_path: Path) -> None:
    mark = data(pets).fingerprint()
    pets.rename(tmp_path / "moved")
    moved = data(tmp_path / "moved")
    assert moved.fingerprint() == mark
    assert "path" not in moved.params.keyed()
    changed = {
        "a file is renamed": lambda root: (root / "train/dog/a.png").rename(root / "train/dog/z.png"),
        "a file changes sides": lambda root: (root / "train/dog/z.png").rename(root / "val/dog/z.png"),
        "a file is gone": lambda root: (root / "val/dog/z.png").unlink(),
        "a byte is another": lambda root: flip(root / "val/dog/b.bmp"),
        "a class has another name": lambda root: [
            (root / s / "dog").rename(root / s / "hound") for s in ("train", "val")
        ],
    }
    seen = {mark}
    for what, change in changed.items():
        change(tmp_path / "moved")
        now = data(tmp_path / "moved").fingerprint()
        assert now not in seen, what
        seen.add(now)


def test_a_change_that_keeps_the_size_is_decoded_anew(pets: Path) -> None:
    before = data(pets).train().images.clone()
    flip(pets / "train" / "dog" / "b.bmp")
    after = data(pets).train().images
    assert [i for i in range(12) if not after[i].equal(before[i])] == [1]


def test_files_that_have_not_changed_are_read_once(pets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def noted(path: Path) -> str:
        read.append(path.name)
        return file_sha256(path)

    monkeypatch.setattr(_file_digests, "file_sha256", noted)
    for path in pets.rglob("*.*"):
        os.utime(path, (1, 1))  # long ago: a file that has only just changed may change again at the same time
    time.sleep(0.2)
    mark = data(pets).fingerprint()
    assert len(read) == 24
    assert data(pets).fingerprint() == mark
    assert len(read) == 24
    flip(pets / "val" / "dog" / "b.bmp")
    assert data(pets).fingerprint() != mark
    assert read[24:] == ["b.bmp"]
    memo = next(Path(os.environ["DDBENCH_DATA"]).rglob("validation.json"))
    memo.write_text("{}")
    flip(pets / "val" / "dog" / "b.bmp")
    assert data(pets).fingerprint() == mark
