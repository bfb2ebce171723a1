"""Fixtures of the refiner tests."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    """Use one thread, since results depend on the number of threads."""
    torch.set_num_threads(1)
