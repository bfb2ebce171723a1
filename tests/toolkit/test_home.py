"""The locations of data and stores."""

from __future__ import annotations

from pathlib import Path

import pytest
from platformdirs import user_cache_dir

from ddbench.toolkit.home import data_home, store_home


def test_by_default_data_is_shared_and_a_store_is_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DDBENCH_DATA", raising=False)
    monkeypatch.delenv("DDBENCH_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert data_home() == Path(user_cache_dir("ddbench"))
    assert store_home() == tmp_path / ".ddbench"


def test_both_can_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.setenv("DDBENCH_DATA", "~/data")
    monkeypatch.setenv("DDBENCH_HOME", "stores/a")
    assert data_home() == Path("/home/someone/data")
    assert store_home() == tmp_path / "stores" / "a"
