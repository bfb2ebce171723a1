"""Fuzz the readers of tensor files from elsewhere: ``python -m tests.fuzz.pools --minutes 20 --seed 0``."""

from __future__ import annotations

import io
import json
import random
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Final, cast

import torch
from safetensors.torch import save

import ddbench
from ddbench import ClassInfo, Generator
from tests.fuzz.mutation import main, mutated

_WORDS: Final = [
    b"F32",
    b"BF16",
    b"[1,",
    b"null",
    b"NaN",
    b"\xff\xff\xff\xff",
    b"torch\n",
    b"c__builtin__\neval\n",
    b"PK",
]
_CLASSES: Final = tuple(map(ClassInfo, ("cat", "dog")))


@cache
def _samples() -> dict[str, bytes]:
    """Return a whole file of each layout."""
    images, labels = torch.rand(4, 3, 4, 4) - 0.5, torch.arange(4) // 2
    told = {
        "classes": ["cat", "dog"],
        "ids": list("abcd"),
        "mean": [0.5] * 3,
        "std": [0.5] * 3,
        "tau": 2,
        "teacher": "a",
    }
    tensors = {"images": images, "labels": labels, "soft_probabilities": torch.ones(4, 2) / 2}
    return {
        "safetensors": save(tensors, {name: json.dumps(value) for name, value in told.items()}),
        "dc": _saved({"data": [[images, labels], [images, labels]], "accs_all_exps": {"ConvNet": [0.5]}}),
        "ddranking": _saved(images),
    }


def _saved(value: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


def attempt(rng: random.Random) -> None:
    """Read a mutated file as a pool."""
    layout = rng.choice(sorted(_samples()))
    pixels = None if layout == "safetensors" else {"mean": [0.5] * 3, "std": [0.5] * 3}
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        path = root / ("images.pt" if layout == "ddranking" else "pool")
        path.write_bytes(mutated(_samples()[layout], rng, _WORDS))
        params = {"path": root if layout == "ddranking" else path, "layout": layout, "pixels": pixels}
        pool = cast("Generator", ddbench.create("generator", "pool-file", **params))
        pool.fingerprint()
        nothing = cast("Any", None)
        pool.load(None, ddbench.TrainingData("pets", _CLASSES, 4, (0.5,) * 3, (0.5,) * 3, nothing), ddbench.Context())
        for index in range(len(_CLASSES)):
            pool.sample_block(index, 0, ddbench.Context())


if __name__ == "__main__":
    main(attempt)
