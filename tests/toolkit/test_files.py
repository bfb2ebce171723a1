"""Files that are whole or not there, and JSON that proves itself undamaged."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbench.errors import StoreError
from ddbench.toolkit.files import (
    CorruptError,
    file_sha256,
    new_folder,
    read_sealed,
    write_chosen,
    write_sealed,
    write_whole,
)

VALUE = {"name": "é\n", "numbers": [1, 2.5, 1e-05, None, True], "nested": {"b": {}, "a": "x" * 40}}


def test_a_sealed_file_carries_the_hash_of_its_canonical_form(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "value.json"
    write_sealed(path, VALUE)
    text = path.read_text(encoding="utf-8")
    canonical = json.dumps(VALUE, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert json.loads(text) == {**VALUE, "checksum": hashlib.sha256(canonical.encode()).hexdigest()}
    assert text.endswith("}\n")
    assert read_sealed(path) == VALUE


def test_what_is_not_there_is_none(tmp_path: Path) -> None:
    assert read_sealed(tmp_path / "none.json") is None
    (tmp_path / "file").touch()
    assert read_sealed(tmp_path / "file" / "none.json") is None


@pytest.mark.parametrize("mask", [0x01, 0x08, 0x20, 0x80, 0xFF])
def test_no_changed_byte_changes_what_a_sealed_file_says(tmp_path: Path, mask: int) -> None:
    path = tmp_path / "value.json"
    write_sealed(path, VALUE)
    whole = path.read_bytes()
    noticed = 0
    for offset in range(len(whole)):
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ mask]) + whole[offset + 1 :])
        try:
            # JSON may spell one value in two ways (1e-05, 1E-05): that is no damage.
            assert read_sealed(path) == VALUE
        except CorruptError:
            noticed += 1
    assert noticed >= len(whole) - 1


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '"text"', "3", "null", "{}", '{"a": 1}', '{"checksum": 5}', '{"a": 1e999, "checksum": "x"}', "\x00",
     '{"a": "\\ud800", "checksum": "x"}', '{"a": NaN, "checksum": "x"}'],
)  # fmt: skip
def test_what_was_never_sealed_is_damaged(tmp_path: Path, text: str) -> None:
    path = tmp_path / "value.json"
    path.write_text(text)
    with pytest.raises(CorruptError):
        read_sealed(path)


@given(st.integers(0, 10_000))
def test_a_truncated_file_is_damaged(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    path = tmp_path_factory.mktemp("cut") / "value.json"
    write_sealed(path, VALUE)
    whole = path.read_bytes()
    path.write_bytes(whole[: length % (len(whole) - 1)])
    with pytest.raises(CorruptError):
        read_sealed(path)


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(StoreError, match=r"^[^:]*loop: the file cannot be read: Too many levels of symbolic links$"):
        read_sealed(tmp_path / "loop")


def test_a_folder_in_place_of_a_file_is_damage(tmp_path: Path) -> None:
    with pytest.raises(CorruptError, match=f"^{tmp_path}: a folder is in place of the file$"):
        read_sealed(tmp_path)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    path = tmp_path / "value"
    write_whole(path, b"before")

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os if step == "fsync" else Path, step, fail)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"after")
    monkeypatch.undo()
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path], "nothing half-written lies about"
    write_whole(path, b"after")
    assert path.read_bytes() == b"after"


def test_a_write_replaces_no_device_and_no_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(OSError, match="something that is not a file is in its place"):
            write_chosen(tmp_path / name, b"")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_the_checksum_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    data = os.urandom(3 * (1 << 20) + 17)
    (tmp_path / "data").write_bytes(data)
    assert file_sha256(tmp_path / "data") == hashlib.sha256(data).hexdigest()


def test_a_new_folder_appears_whole_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "folder"
    with new_folder(target) as aside:
        (aside / "file").write_text("1")
        assert not target.exists()
    assert [path.name for path in target.parent.iterdir()] == ["folder"]
    assert (target / "file").read_text() == "1"


def test_after_an_error_there_is_no_new_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), new_folder(tmp_path / "folder") as aside:
        (aside / "absent" / "file").touch()
    assert list(tmp_path.iterdir()) == []


def test_after_a_kill_there_is_no_new_folder_and_an_empty_one_stays(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    code = "import os, sys, pathlib; from ddbench.toolkit.files import new_folder\n"
    code += "with new_folder(pathlib.Path(sys.argv[1])) as aside: (aside / 'file').touch(); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path / "folder")], check=False).returncode == -9
    assert list((tmp_path / "folder").iterdir()) == []
    with new_folder(tmp_path / "folder") as aside:
        (aside / "file").touch()
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["file"]


def test_a_folder_that_was_filled_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="not empty"), new_folder(tmp_path / "folder"):
        write_whole(tmp_path / "folder" / "theirs", b"")
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "theirs"]
