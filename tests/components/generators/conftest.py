"""What tests of generators share."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small_pipelines import save_pipeline


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """What is computed depends on the number of threads."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random pipeline of three classes, laid out as diffusers saves it."""
    return save_pipeline(tmp_path_factory.mktemp("pipeline"))
