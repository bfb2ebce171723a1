"""Fixtures of the generator tests."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small_pipelines import save_pipeline


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """Use one thread, since results depend on the number of threads."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Save a small random pipeline of three classes with diffusers' layout."""
    return save_pipeline(tmp_path_factory.mktemp("pipeline"))
