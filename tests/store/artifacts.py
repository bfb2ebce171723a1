"""Artifacts for the tests of the store."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

from ddbench.api import sha256_json
from ddbench.record import RunRecord, pack_predictions
from ddbench.record.predictions import reference
from ddbench.store import Failure, Manifest, Output, Store
from tests.plan.pretend import record

KEY = sha256_json("an action")


def unsigned(key: str = KEY) -> Manifest:
    """Return a manifest as a worker passes it to the store."""
    recipe = {"stage": "score", "uses": {}, "settings": {}, "inputs": {"samples": "abc"}}
    return Manifest(
        action_key=key,
        recipe_key=sha256_json("recipe"),
        stage="score",
        recipe=recipe,
        inputs={"samples": "def"},
        digest="",
        files={},
        provenance={},
        info={"usage": {"s": 1.5}},
    )


def result(fingerprint: str, last: float, key: str = KEY) -> RunRecord:
    """Return a result as a worker passes it to the store."""
    return RunRecord.parse(record(key, last, fingerprint=fingerprint))


def predicted() -> tuple[RunRecord, bytes]:
    """Return a result with its file of predictions."""
    data = pack_predictions([0, 2, 1], 3)
    made = result("where", 14.0)
    return made.model_copy(update={"predictions": reference("where.npy", data), "_stored": None}), data


def failure(message: str = "", recipe_key: str = "r1") -> Failure:
    """Return a failure as the driver passes it to the store."""
    return Failure(recipe_key=recipe_key, action_key=KEY, stage="score", label="A", message=message)


def output(folder: Path | None = None) -> Output:
    """Return an output with tensors and content and, given an empty folder, with the files of a fit."""
    tensors = {"embedding": torch.arange(12.0).reshape(4, 3), "class.column": torch.tensor([2, 0, 1])}
    if folder is not None:
        (folder / "deep").mkdir(parents=True)
        save_file({"w": torch.ones(2, 2)}, folder / "deep" / "weights.safetensors")
        (folder / "history.json").write_text(json.dumps({"loss": [1.0, 0.5]}))
    return Output(tensors, {"ids": ["a", "b"]}, {"remark": "fine"}, folder)


def fill(root: Path) -> tuple[Store, Manifest]:
    """Return a store with one artifact of every kind of file, and a result."""
    store = Store.open(root)
    with store.scratch() as scratch:
        manifest = store.put(output(scratch / "fitted"), unsigned())
    store.put_result(result("here", 12.5))
    return store, manifest
