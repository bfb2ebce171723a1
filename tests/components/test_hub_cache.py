"""Files in the Hugging Face cache, also in one that was filled by commit or copied by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from ddbench_components._hub import cached_file

COMMIT, OTHER = "0123456789" * 4, "abcdef0123" * 4
NAME = "model.safetensors"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a repository with one snapshot and no ``refs``."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    folder = tmp_path / "models--some--body"
    add(folder, COMMIT)
    return folder


def add(folder: Path, commit: str) -> None:
    (folder / "snapshots" / commit).mkdir(parents=True)
    (folder / "snapshots" / commit / NAME).write_bytes(commit.encode())


def main(folder: Path, text: str) -> None:
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(text)


def test_the_only_snapshot_is_meant(repository: Path) -> None:
    assert cached_file("some/body", NAME) == repository / "snapshots" / COMMIT / NAME
    assert cached_file("some/body", "other") is None
    assert cached_file("no/body", NAME) is None


@pytest.mark.parametrize("text", [COMMIT, f"{COMMIT}\n", f" {COMMIT}\r\n"])
def test_main_names_a_snapshot(repository: Path, text: str) -> None:
    add(repository, OTHER)
    assert cached_file("some/body", NAME) is None  # which of the two is meant cannot be known
    main(repository, text)
    assert cached_file("some/body", NAME) == repository / "snapshots" / COMMIT / NAME


def test_main_may_name_a_snapshot_that_is_not_there(repository: Path) -> None:
    main(repository, OTHER)
    assert cached_file("some/body", NAME) is None
