"""Places where pretrained weights are looked for, and a file that should not be trusted."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
from ddbench_components._hub import Repository, fetched_folder

from ddbench.api.component import Progress


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Empty folders where weights are looked for, ``data`` and ``hub``, and no network."""
    monkeypatch.setenv("DDBENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))

    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("the network was asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def cache_weights(offline: None, tmp_path: Path) -> Callable[[Path, str, str], None]:
    """Put a file where the Hugging Face Hub's client keeps what it has downloaded of a repository."""

    def put(weights: Path, repository: str, name: str) -> None:
        folder = tmp_path / "hub" / f"models--{repository.replace('/', '--')}"
        cached = folder / "snapshots" / "0123abcd" / name
        cached.parent.mkdir(parents=True)
        cached.symlink_to(weights)
        (folder / "refs").mkdir()
        (folder / "refs" / "main").write_text("0123abcd")

    return put


@pytest.fixture
def on_the_hub(offline: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, Path], list[str]]:
    """Let the Hub have one repository of one file, in place of a connection; returns what it is asked for."""

    def put(repository: str, name: str, weights: Path) -> list[str]:
        asked: list[str] = []

        def query(wanted: str) -> Repository:
            asked.append(wanted)
            return Repository(repository, "0123abcd", {"config.json": None, name: None})

        def fetch(self: Repository, file: str, progress: Progress) -> Path:
            asked.append(file)
            fetched_folder(repository).mkdir(parents=True, exist_ok=True)
            return Path(shutil.copy(weights, fetched_folder(repository) / file))

        monkeypatch.setattr(Repository, "query", query)
        monkeypatch.setattr(Repository, "fetch", fetch)
        return asked

    return put


class Bomb:
    """Something whose pickle makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


@pytest.fixture
def bomb(tmp_path: Path) -> Bomb:
    return Bomb(tmp_path / "exploded")


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save random weights of timm's smallest EfficientNet."""
    from timm_teachers import saved  # not above: other tests here run without timm

    return saved(tmp_path_factory.mktemp("weights"))
