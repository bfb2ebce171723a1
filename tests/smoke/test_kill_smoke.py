"""The smoke suite killed at seeded moments: it ends as one left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.run.kills import Kill, kill_and_rerun, kill_driver, kill_group, kill_workers
from tests.run.runs import outcome
from tests.smoke.conftest import SMOKE

pytestmark = pytest.mark.slow

MOST_NODES = 12


@pytest.mark.parametrize("kill", [kill_driver, kill_group])
def test_killed_and_rerun(smoke_store: Path, tmp_path: Path, kill: Kill) -> None:
    kill_and_rerun(SMOKE, tmp_path / "store", kill, outcome(SMOKE, smoke_store), MOST_NODES)


def test_one_worker_killed(smoke_store: Path, tmp_path: Path) -> None:
    kill_workers(SMOKE, tmp_path / "store", outcome(SMOKE, smoke_store), MOST_NODES, workers=2)
