"""Benchmarks take long and are timed. They run when asked for, alone: ``pytest -n 0 -m slow tests/benchmarks``."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            if "PYTEST_XDIST_WORKER" in os.environ:
                item.add_marker(pytest.mark.skip("what runs beside it would be timed with it: add -n 0"))
