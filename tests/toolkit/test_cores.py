"""Cores that control groups allow, from files as the kernel writes them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ddbench.toolkit.cores import usable_cores

ALL = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        ("0::/\n", {"cpu.max": "100000 100000\n"}, 1),
        ("0::/a/b\n", {"a/cpu.max": "50000 100000\n", "a/b/cpu.max": "max 100000\n"}, 1),
        ("0::/a\n", {"a/cpu.max": "max 100000\n"}, ALL),
        ("0::/a\n", {"a/cpu.max": "nonsense\n"}, ALL),
        ("4:cpu,cpuacct:/d\n", {"cpu,cpuacct/d/cpu.cfs_quota_us": "100000\n",
                                "cpu,cpuacct/d/cpu.cfs_period_us": "100000\n"}, 1),
        ("4:cpu,cpuacct:/d\n", {"cpu,cpuacct/d/cpu.cfs_quota_us": "-1\n"}, ALL),
        ("3:memory:/d\n", {"memory/d/cpu.max": "100000 100000\n"}, ALL),
        ("nonsense\n", {}, ALL),
        (None, {}, ALL),
    ],
)  # fmt: skip
def test_quotas(tmp_path: Path, own: str | None, files: dict[str, str], cores: int) -> None:
    for name, content in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    if own is not None:
        (tmp_path / "own").write_text(own)
    assert usable_cores(tmp_path / "groups", tmp_path / "own") == cores


def test_a_fraction_of_a_core_is_rounded_up(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("0::/\n")
    (tmp_path / "cpu.max").write_text("150000 100000\n")
    assert usable_cores(tmp_path, tmp_path / "own") == min(2, ALL)
