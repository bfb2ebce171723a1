"""Records of trainings for tests: a whole one of today, and those of format 1."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from ddbench.toolkit.files import read_sealed
from tests.plan.pretend import record

FROZEN = sorted((Path(__file__).parent / "format1").glob("*.json"))
KEY = "a" * 64
LINEAGE = {
    "kind": "selector",
    "name": "k-center",
    "version": 2,
    "params": {"metric": "l2"},
    "code_hash": "c" * 64,
    "package": "ddbench",
    "package_version": "0.2.0",
    "commit": "f" * 40,
    "dirty": False,
}


def whole() -> dict[str, Any]:
    """Return a record in which every optional part is present."""
    use = {"kind": "scorer", "name": "colour", "params": {"seconds": 0.5}}
    made = {
        **record(KEY, 50.0, lineage=[LINEAGE]),
        "evaluator": {**use, "kind": "evaluator"},
        "student": {**use, "kind": "student"},
        "dataset": {**use, "kind": "dataset"},
        "teacher": use,
        "soft_labels": {"digest": "e" * 64, "tau": 1.5},
        "predictions": {"file": "predictions.safetensors", "sha256": "0" * 64},
        "created": "2026-11-28T22:40:00+00:00",
    }
    return copy.deepcopy(made)


def frozen(path: Path) -> dict[str, Any]:
    """Return the record in a file of format 1: an export of ddbench 0.1, or a result in its store."""
    value = read_sealed(path)
    assert value is not None
    found: dict[str, Any] = value.get("record", value)
    return found
