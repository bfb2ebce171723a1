"""Crashes and damage: an artifact is whole or not there, and a changed byte is noticed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ddbench.api import sha256_json, tensor_digest
from ddbench.store import Artifact, CorruptError, Output, Store, artifact
from ddbench.store import store as store_module
from tests.store.artifacts import KEY, fill, output, unsigned


class CrashError(Exception):
    """The process dies here; what runs on the way out (``finally``) is left out by the tests that need that."""


STEPS = {
    "while tensors are written": (artifact, "tensor_digest"),
    "while checksums are taken": (artifact, "file_sha256"),
    "while files are synced": (artifact, "sync_file"),
    "before the manifest": (store_module, "write_sealed"),
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
    read.files()
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
