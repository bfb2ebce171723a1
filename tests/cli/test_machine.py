"""Machines with a full disk, without a home, or with an unusual Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Cli


@pytest.mark.parametrize("size", ["20", "1.5G", "500 MiB", "3k"])
def test_garbage_is_collected_down_to_a_size(cli: Cli, example_suite: Path, size: str) -> None:
    store = example_suite.parent / "store"
    cli("run", str(example_suite), "--store", str(store))
    ended = cli("gc", "--store", str(store), "--max-size", size)
    assert ended.returncode == 0, ended.stderr
    assert cli("gc", "--store", str(store), "--max-size", "lots").stderr == (
        "error: 'lots' is not a size; write it as in 500M or 20G\n"
    )


def test_doctor_answers_without_a_home(cli_process: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CACHE_HOME", "DDBENCH_DATA"):
        monkeypatch.delenv(name, raising=False)
    ended = cli_process("doctor", env_extra={"DDBENCH_HOME": "~nobody-here/store"})
    assert ended.returncode == 1
    assert "this user has none; set HOME or DDBENCH_HOME" in ended.stdout
    assert "Traceback" not in ended.stderr


def test_components_are_listed_without_docstrings(tmp_path: Path) -> None:
    for arguments, shown in ((("describe", "k-center"), "remove docstrings"), (("list",), "k-center")):
        command = [sys.executable, "-OO", "-m", "ddbench", *arguments]
        assert shown in subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
