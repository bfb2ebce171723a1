"""Stores that cannot be used: a folder that cannot be written, another format, a damaged marker."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ddbench.errors import StoreError
from ddbench.store import Store
from ddbench.store import store as store_module
from tests.store.artifacts import KEY, failure, fill, output, result, unsigned


def test_a_store_below_a_file_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StoreError) as caught:
            Store.open(root)
        assert str(caught.value).startswith(f"{root}: the store cannot be written: ")
        assert str(caught.value).endswith("; choose another folder with --store or DDBENCH_HOME")
        assert "\n" not in str(caught.value)
        assert Store(root).manifest(KEY) is None
        assert Store(root).results(KEY) == []


@pytest.mark.parametrize("code", [errno.ENOENT, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL], ids=os.strerror)
def test_a_store_where_no_folder_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(self: Path, *args: Any, **kwargs: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StoreError) as caught:
        Store.open(tmp_path / "x")
    said, advice = os.strerror(code).lower(), "choose another folder with --store or DDBENCH_HOME"
    assert str(caught.value) == f"{tmp_path / 'x'}: the store cannot be written: {said}; {advice}"


REFUSALS = {
    errno.ENOSPC: "no space left for the store; free space with `ddbench gc`, or choose another folder with --store",
    errno.EDQUOT: "no space left for the store; free space with `ddbench gc`, or choose another folder with --store",
    errno.EACCES: "the store cannot be written: permission denied; choose another folder with",
    errno.EFBIG: "the store cannot be written: file too large; choose another folder with",
    errno.EROFS: "the store cannot be written: read-only file system; choose another folder with",
}
WRITERS: dict[str, Callable[[Store], Any]] = {
    "open": lambda store: Store.open(store.root),
    "put": lambda store: store.put(output(), unsigned("1" * 64)),
    "put_result": lambda store: store.put_result(result("here", 1.0, "1" * 64)),
    "put_cell": lambda store: store.put_cell("1" * 64, "r", {}),
    "put_failure": lambda store: store.put_failure(failure()),
}


@pytest.mark.parametrize("code", REFUSALS, ids=errno.errorcode.__getitem__)
@pytest.mark.parametrize("writer", WRITERS)
def test_what_the_system_refuses_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: str, code: int
) -> None:
    store, _ = fill(tmp_path)
    opened = Path.open

    def refuse(self: Path, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if mode.startswith(("w", "a", "x")):
            raise OSError(code, os.strerror(code))
        return opened(self, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "touch", lambda self: refuse(self, "w"))
    with pytest.raises(StoreError) as caught:
        WRITERS[writer](store)
    assert str(caught.value).startswith(f"{tmp_path}: {REFUSALS[code]}")
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert store.artifact(KEY).content() == {"ids": ["a", "b"]}, "what was there is unharmed"


def test_other_faults_of_the_system_are_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="Input/output"), Store(tmp_path).writing():
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    with pytest.raises(FileNotFoundError), Store(tmp_path).writing():
        (tmp_path / "none").read_bytes()


def test_a_store_of_another_format_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "FORMAT", 99)
    Store.open(tmp_path)
    monkeypatch.undo()
    with pytest.raises(
        StoreError, match="the store has format 99, and this version writes format 2; choose another folder"
    ):
        Store.open(tmp_path)


def test_a_damaged_marker_is_one_line(tmp_path: Path) -> None:
    fill(tmp_path)
    (tmp_path / "store.json").write_text("{}")
    with pytest.raises(StoreError, match=r"store.json: the file is damaged; delete it"):
        Store.open(tmp_path)
    (tmp_path / "store.json").unlink()
    assert Store.open(tmp_path).artifact(KEY).content() == {"ids": ["a", "b"]}


@pytest.mark.parametrize("code", REFUSALS, ids=errno.errorcode.__getitem__)
def test_a_file_outside_the_store_is_named(tmp_path: Path, code: int) -> None:
    other = str(tmp_path / "cache" / "file")
    with pytest.raises(StoreError) as caught, Store(tmp_path / "store").writing():
        raise OSError(code, os.strerror(code), other)
    assert str(caught.value) == f"{other}: {os.strerror(code)}, and not in the store"
