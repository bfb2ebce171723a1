"""Fixtures of the tests of estimates."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ddbench.plan import Graph
from ddbench.registry import Catalogue
from ddbench.registry.plugins import installed
from tests.plan.estimate.priced import CLASSES, SUITE, VALIDATION, Priced, PricedRefiner, PricedScorer, PricedStudent
from tests.plan.plans import edited, plan, set_


@pytest.fixture(scope="module")
def known() -> Catalogue:
    found = Catalogue(installed())
    for cls in (Priced, PricedScorer, PricedRefiner, PricedStudent):
        found.add(cls, owner="this test")
    return found


@pytest.fixture(autouse=True)
def counted_validation(monkeypatch: pytest.MonkeyPatch, known: Catalogue) -> None:
    monkeypatch.setattr(known.get("dataset", "dots"), "validation_counts", (VALIDATION // CLASSES,) * CLASSES)


@pytest.fixture
def with_gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put an `nvidia-smi` first that tells of these GPUs and no others, or have none."""

    def tell(*models: str, tools: bool = True) -> None:
        lines = [f"GPU {i}: {model} (UUID: GPU-5e1f{i}-0a)" for i, model in enumerate(models)]
        tool = tmp_path / "bin" / "nvidia-smi"
        tool.parent.mkdir()
        if tools:
            tool.write_text("\n".join(["#!/bin/sh", *(f"echo '{line}'" for line in lines)]) + "\n")
            tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(tool.parent))

    return tell


@pytest.fixture
def small(tmp_path: Path, known: Catalogue) -> Graph:
    return plan(tmp_path, edited(set_("ipc")([1]), SUITE), known)
