"""The digest of an output: over what its files say, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ddbench.api import sha256_json, tensor_digest
from ddbench.errors import StoreError
from ddbench.store import Output, Store
from tests.store.artifacts import fill, unsigned


def digest_of(store: Store, made: Output) -> str:
    """Return the digest that the store gives an output."""
    return store.put(made, unsigned()).digest


def fitted(folder: Path, files: dict[str, Callable[[Path], None]]) -> Output:
    """Return the output of a fit that wrote ``files``."""
    folder.mkdir(parents=True)
    for name, write in files.items():
        write(folder / name)
    return Output(folder=folder)


def test_the_digest_by_hand(tmp_path: Path) -> None:
    _, manifest = fill(tmp_path)
    weights = sha256_json({"w": tensor_digest(torch.ones(2, 2))})
    parts = {
        "tensor/embedding": tensor_digest(torch.arange(12.0).reshape(4, 3)),
        "tensor/class.column": tensor_digest(torch.tensor([2, 0, 1])),
        "content": hashlib.sha256(b'{"ids":["a","b"]}').hexdigest(),
        "file/deep/weights.safetensors": weights,
        "file/history.json": hashlib.sha256(b'{"loss":[1.0,0.5]}').hexdigest(),
    }
    assert manifest.digest == sha256_json(parts)


def test_the_digest_is_over_what_files_say_not_how(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    weights = {"w": torch.ones(2), "v": torch.zeros(3)}
    plain = fitted(
        tmp_path / "a",
        {
            "w.safetensors": lambda path: save_file(weights, path),
            "h.json": lambda path: path.write_text('{"a": 1, "b": [2.0]}') and None,
        },
    )
    spelt = fitted(
        tmp_path / "b",
        {
            "w.safetensors": lambda path: save_file(dict(reversed(weights.items())), path, {"x": "1", "y": "2"}),
            "h.json": lambda path: path.write_text('{\n "b": [2.0],\n "a": 1}\n') and None,
        },
    )
    assert digest_of(store, plain) == digest_of(store, spelt)


@pytest.mark.parametrize(
    "other",
    [
        Output({"t": torch.tensor([1.0, 3.0])}, {"ids": ["a"]}),
        Output({"t": torch.tensor([1.0, 2.0], dtype=torch.float64)}, {"ids": ["a"]}),
        Output({"t": torch.tensor([[1.0, 2.0]])}, {"ids": ["a"]}),
        Output({"u": torch.tensor([1.0, 2.0])}, {"ids": ["a"]}),
        Output({"t": torch.tensor([1.0, 2.0])}, {"ids": ["b"]}),
        Output({"t": torch.tensor([1.0, 2.0])}),
    ],
)
def test_another_content_has_another_digest(tmp_path: Path, other: Output) -> None:
    store = Store.open(tmp_path)
    assert digest_of(store, Output({"t": torch.tensor([1.0, 2.0])}, {"ids": ["a"]})) != digest_of(store, other)


def test_remarks_do_not_enter_the_digest(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    assert digest_of(store, Output(content=1, info={"seconds": 1})) == digest_of(store, Output(content=1))


def test_a_fit_may_only_leave_what_can_be_read_safely(tmp_path: Path) -> None:
    made = fitted(tmp_path / "fit", {"weights.pt": lambda path: path.touch()})
    with pytest.raises(StoreError, match=r"a fit wrote 'weights.pt'.*only write .safetensors and .json files"):
        Store.open(tmp_path / "store").put(made, unsigned())
