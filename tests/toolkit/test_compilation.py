"""The cache of compiled loops may be full or damaged: then the loop is compiled again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LOOP = """
from ddbench.toolkit import compiled

@compiled
def total(values):
    found = 0.0
    for value in values:
        found += value
    return found
"""
START = "import errno, sys, numpy, numba.core.caching as caching\nsys.path.insert(0, '.')\n"
FULL = """
def full(*_): raise OSError(errno.ENOSPC, 'No space left on device')
caching.IndexDataCacheFile.save = full
"""


def use(folder: Path, before: str = "") -> str:
    (folder / "loop.py").write_text(LOOP)
    code = START + before + "\nimport loop\nprint(loop.total(numpy.ones(3)))"
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "cache")}
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_a_full_disk(tmp_path: Path) -> None:
    assert use(tmp_path, FULL) == "3.0\n"


@pytest.mark.parametrize("content", [b"", b"damaged" * 100])
def test_damaged_files(tmp_path: Path, content: bytes) -> None:
    assert use(tmp_path) == "3.0\n"
    stored = [path for path in (tmp_path / "cache").rglob("*.nb?") if path.is_file()]
    assert stored
    for path in stored:
        path.write_bytes(content)
    assert use(tmp_path) == "3.0\n"
