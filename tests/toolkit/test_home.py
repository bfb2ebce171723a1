"""The locations of data and stores."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from platformdirs import user_cache_dir

from ddbench.errors import DataError
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


def unknown(uid: int) -> None:
    raise KeyError(uid)


@pytest.mark.parametrize(("variable", "find"), [("DDBENCH_DATA", data_home), ("DDBENCH_HOME", store_home)])
@pytest.mark.parametrize("value", [None, "~/x", "~nobody-here/x"])
def test_a_user_without_a_home(
    monkeypatch: pytest.MonkeyPatch, variable: str, find: Callable[[], Path], value: str | None
) -> None:
    for name in ("HOME", "XDG_CACHE_HOME", variable):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    if value is not None:
        monkeypatch.setenv(variable, value)
    elif variable == "DDBENCH_HOME":
        assert find() == Path.cwd() / ".ddbench"
        return
    with pytest.raises(DataError, match=f"this user has none; set HOME or {variable}"):
        find()
