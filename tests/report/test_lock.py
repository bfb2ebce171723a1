"""The lock file of an export: complete, and what the committed results say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ddbench.record import Measurement, RunRecord, Shared
from ddbench.report.exported import read_exported
from ddbench.report.lock import LOCK, lock_text
from tests.conftest import ROOT
from tests.plan.pretend import record
from tests.record.records import LINEAGE


def measured(**more: Any) -> Measurement:
    return Measurement.of(RunRecord.parse({**record("a" * 64, 50.0), **more}), Shared())


@pytest.mark.parametrize("folder", sorted((ROOT / "leaderboard" / "results").iterdir()), ids=lambda folder: folder.name)
def test_the_lock_of_a_committed_board_is_that_of_its_records(folder: Path) -> None:
    found = (one for group in read_exported(folder).measured.values() for one in group)
    assert (folder / LOCK).read_text(encoding="utf-8") == lock_text(found)


def test_each_environment_has_its_list() -> None:
    gpu = {"driver": "580.1", "cuda": "13.0", "cudnn": "91002"}
    env = record("a", 1.0)["environment"]
    other = {**env, "device": "cuda", "gpu": gpu, "threads": 2, "versions": {"python": "3.12.1", **env["versions"]}}
    plugin = {**LINEAGE, "package": "theirs", "package_version": "1.0", "commit": None}
    lines = lock_text(
        [measured(lineage=[LINEAGE]), measured(fingerprint="f2", environment=other, lineage=[plugin])]
    ).splitlines()
    assert lines[1:] == [
        "",
        "# environment f1: 1 result",
        "# Abacus 3000, BEADS, 1 thread, Wood, reference",
        "# python of unknown version",
        "ddbench==0.1.0",
        "torch==2.9.0",
        "# ddbench==0.2.0 at commit ffffffffffff",
        "",
        "# environment f2: 1 result",
        "# Abacus 3000, BEADS, 2 threads, Wood, reference",
        "# driver 580.1, CUDA 13.0, cuDNN 91002",
        "# python 3.12.1",
        "ddbench==0.1.0",
        "torch==2.9.0",
        "theirs==1.0",
    ]


def test_pip_reads_the_versions() -> None:
    from packaging.requirements import Requirement

    found = [line for line in lock_text([measured()]).splitlines() if line and not line.startswith("#")]
    assert {Requirement(line).name for line in found} == {"ddbench", "torch"}
