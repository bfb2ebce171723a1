"""Crashes and damage: an artifact is whole or not there, and a changed byte is noticed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ddbench.api import sha256_json, tensor_digest
from ddbench.store import Artifact, CorruptError, Output, Store, artifact
from ddbench.store import store as store_module
from tests.run.runs import flip_byte
from tests.store.artifacts import KEY, fill, output, unsigned


class CrashError(Exception):
    """The process dies here; what runs on the way out (``finally``) is left out by the tests that need that."""


STEPS = {
    "while tensors are written": (artifact, "tensor_digest"),
    "while digests are taken": (artifact, "combine_digests"),
    "while files are synced": (artifact, "sync_file"),
    "before the manifest": (store_module, "write_whole"),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("clean_up", [True, False], ids=["raised", "killed"])
def test_a_crash_leaves_nothing_under_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, clean_up: bool
) -> None:
    store = Store.open(tmp_path)

    def crash(*_: Any) -> None:
        raise CrashError

    monkeypatch.setattr(*STEPS[step], crash)
    if not clean_up:
        monkeypatch.setattr(store_module.shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(CrashError):
        store.put(output(), unsigned())
    monkeypatch.undo()
    assert store.manifest(KEY) is None
    assert not list((tmp_path / "artifacts").rglob("*"))
    assert bool(list((tmp_path / "tmp").iterdir())) is not clean_up
    store.put(output(), unsigned())
    assert store.artifact(KEY).content() == {"ids": ["a", "b"]}


def test_a_crash_while_replacing_leaves_nothing_half_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = fill(tmp_path)
    rename, renamed = Path.rename, []

    def crash_at_second(self: Path, target: Path) -> Path:
        renamed.append(target)
        if len(renamed) == 2:
            raise CrashError
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", crash_at_second)
    with pytest.raises(CrashError):
        store.put(output(), unsigned())
    monkeypatch.undo()
    assert store.manifest(KEY) is None


def stored_files(root: Path) -> list[Path]:
    return sorted(p for room in ("artifacts", "results") for p in (root / room).rglob("*") if p.is_file())


def read_everything(root: Path) -> Any:
    """Everything of the artifact and the result that ``fill`` stored, read as a run would: by a fresh store."""
    store = Store(root)
    read = store.artifact(KEY)
    tensors = {name: tensor_digest(read.tensor(name)) for name in read.tensor_names}
    with read.files():
        return read.manifest, tensors, read.content(), store.results(KEY)


def complaint(read: Callable[[], bool]) -> str | None:
    """Return the store's error while reading; None if everything reads as before."""
    try:
        assert read()
    except CorruptError as error:
        return str(error)
    return None


def test_a_changed_byte_anywhere_is_noticed(tmp_path: Path) -> None:
    fill(tmp_path)
    before = read_everything(tmp_path)
    files = stored_files(tmp_path)
    assert {p.name for p in files} == {
        "manifest.json", "content.json", "here.json", "history.json",
        "weights.safetensors", "embedding.safetensors", "class.column.safetensors",
    }  # fmt: skip
    for path in files:
        whole = path.read_bytes()
        sealed = path.name in ("manifest.json", "here.json")
        for offset in range(0, len(whole), 7):
            path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 0x10]) + whole[offset + 1 :])
            noticed = complaint(lambda: read_everything(tmp_path) == before)
            # A sealed file may be spelt in two ways; what it says must not change.
            assert noticed == f"{path}: the file is damaged" or (sealed and noticed is None), (path.name, offset)
        path.write_bytes(whole)
        assert read_everything(tmp_path) == before


def test_a_missing_file_is_damage(tmp_path: Path) -> None:
    store, manifest = fill(tmp_path)
    (tmp_path / "artifacts" / KEY[:2] / KEY / "content.json").unlink()
    assert not store.has_payload(manifest)
    with pytest.raises(CorruptError, match=r"content.json: the file is damaged"):
        store.artifact(KEY).content()
    with pytest.raises(CorruptError):
        store.artifact(KEY).verify()


def test_a_file_is_checked_once_for_each_artifact_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = fill(tmp_path)
    checked: list[Path] = []
    check = artifact.file_sha256
    monkeypatch.setattr(artifact, "file_sha256", lambda path: checked.append(path) or check(path))
    read: Artifact = store.artifact(KEY)
    for _ in range(3):
        read.tensor("embedding")
    assert len(checked) == 1


def test_damaged_things_are_put_aside_not_thrown_away(tmp_path: Path) -> None:
    store, _ = fill(tmp_path)
    target = store.quarantine(KEY)
    assert store.manifest(KEY) is None
    assert [record.fingerprint for record in store.results(KEY)] == ["here"], "whole results stay"
    place = Path(KEY[:2]) / KEY
    assert (target / "artifacts" / place / "manifest.json").is_file()
    (tmp_path / "results" / place / "there.json").write_text("{")
    target = store.quarantine(KEY)
    assert (target / "results" / place / "there.json").read_text() == "{"
    assert [record.fingerprint for record in store.results(KEY)] == ["here"]
    assert target.parent == tmp_path / "quarantine"
    assert store.quarantine(KEY) != target, "a second time there is nothing, and the first stays"


def test_damaged_manifests_do_not_stop_a_listing(tmp_path: Path) -> None:
    store, _ = fill(tmp_path)
    other = store.put(Output(content=1), unsigned(sha256_json("another action")))
    (tmp_path / "artifacts" / KEY[:2] / KEY / "manifest.json").write_text("{}")
    assert list(store.manifests()) == [other]


def test_a_byte_that_changes_while_an_artifact_is_stored_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checksums are those of the bytes that were to be written, not of what is on the disk."""
    sync = artifact.sync_file

    def damage_and_sync(path: Path) -> None:
        flip_byte(path, -7)
        sync(path)

    monkeypatch.setattr(artifact, "sync_file", damage_and_sync)
    store = Store.open(tmp_path)
    store.put(output(), unsigned())
    read = store.artifact(KEY)
    with pytest.raises(CorruptError):
        read.content()
    with pytest.raises(CorruptError):
        read.tensor("embedding")


@pytest.mark.parametrize("change", ["flipped", "removed", "a folder"])
def test_a_file_that_changes_after_it_was_read_is_noticed(tmp_path: Path, change: str) -> None:
    store, _ = fill(tmp_path)
    read = store.artifact(KEY)
    read.content()
    path = tmp_path / "artifacts" / KEY[:2] / KEY / "content.json"
    if change == "flipped":
        flip_byte(path, 0)
    else:
        path.unlink()
    if change == "a folder":
        path.mkdir()
    with pytest.raises(CorruptError, match=r"content.json: the file is damaged"):
        read.content()


@pytest.mark.parametrize("error", [None, ValueError("half a file")])
def test_files_of_a_fit_that_change_while_they_are_read_are_noticed(tmp_path: Path, error: Exception | None) -> None:
    """Whatever the reader made of them."""
    store, _ = fill(tmp_path)

    def read() -> None:
        with store.artifact(KEY).files() as folder:
            flip_byte(folder / "history.json", 0)
            if error is not None:
                raise error

    with pytest.raises(CorruptError, match=r"history.json: the file is damaged"):
        read()
