"""The smoke suite, run once for all tests of it: here, or in the store that DDBENCH_SMOKE_STORE names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.run.runs import run

SMOKE = ROOT / "suites" / "smoke.yaml"


@pytest.fixture(scope="session")
def smoke_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    named = os.environ.get("DDBENCH_SMOKE_STORE")
    store = Path(named) if named else tmp_path_factory.mktemp("smoke") / "store"
    ended = run(SMOKE, store)
    assert ended.returncode == 0, ended.stderr
    return store
