"""The data folder of cifar10: what is put there, and what has to lie there afterwards."""

from __future__ import annotations

from pathlib import Path

import torch
from ddbench_components.datasets.cifar10 import Cifar10
from handmade_cifar import ARCHIVE, TRAIN, VALIDATION, binary_files

from ddbench.toolkit.home import data_home


def assert_right(data: Cifar10) -> None:
    assert data.missing() is None
    for found, (images, labels), name in (
        (data.train(), TRAIN, "train-{:05d}"),
        (data.validation(), VALIDATION, "test-{:05d}"),
    ):
        assert found.images.dtype == torch.uint8
        assert found.labels.dtype == torch.int64
        assert found.images.equal(images)
        assert found.labels.equal(labels)
        assert found.ids == tuple(name.format(i) for i in range(len(labels)))


def stored() -> list[str]:
    """All that lies in the data folder."""
    return sorted(str(path.relative_to(data_home())) for path in data_home().rglob("*") if path.is_file())


DONE = ["cifar10/fetch.lock", "cifar10/train.safetensors", "cifar10/validation.safetensors"]


def place(form: str, folder: Path) -> None:
    """Put the official archive, or what it extracts to, into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    if form == "archive":
        (folder / "cifar-10-binary.tar.gz").write_bytes(ARCHIVE)
    else:
        (folder / "cifar-10-batches-bin").mkdir()
        for name, content in binary_files().items():
            (folder / "cifar-10-batches-bin" / name).write_bytes(content)
