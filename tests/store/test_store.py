"""The store: what is put in comes out, whole or not at all, whatever happens."""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from ddbench.api import sha256_json, tensor_digest
from ddbench.errors import StoreError
from ddbench.store import Artifact, CorruptError, Output, Store, artifact
from ddbench.store import store as store_module
from tests.store.artifacts import KEY, fill, output, result, unsigned


def digest_of(store: Store, made: Output) -> str:
    """Return the digest that the store gives an output."""
    return store.put(made, unsigned()).digest


def fitted(folder: Path, files: dict[str, Callable[[Path], None]]) -> Output:
    """Return the output of a fit that wrote ``files``."""
    folder.mkdir(parents=True)
    for name, write in files.items():
        write(folder / name)
    return Output(folder=folder)


# round trips


def test_an_artifact_comes_out_as_it_went_in(tmp_path: Path) -> None:
    store, manifest = fill(tmp_path)
    read = Store(tmp_path).artifact(KEY)
    assert read.tensor_names == ("class.column", "embedding")
    assert read.tensor("embedding").equal(torch.arange(12.0).reshape(4, 3))
    assert read.tensor("class.column").equal(torch.tensor([2, 0, 1]))
    assert read.content() == {"ids": ["a", "b"]}
    assert load_file(read.files() / "deep" / "weights.safetensors")["w"].equal(torch.ones(2, 2))
    assert json.loads((read.files() / "history.json").read_text()) == {"loss": [1.0, 0.5]}
    assert read.manifest == manifest == store.manifest(KEY)
    assert list(store.manifests()) == [manifest]
    assert store.has_payload(manifest)
    assert (
        manifest.size
        == sum(p.stat().st_size for p in tmp_path.rglob("artifacts/*/*/**/*") if p.is_file())
        - (tmp_path / "artifacts" / KEY[:2] / KEY / "manifest.json").stat().st_size
    )


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float32, torch.float16, torch.bfloat16, torch.bool])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_tensors_of_any_kind_survive(tmp_path: Path, dtype: torch.dtype, shape: tuple[int, ...]) -> None:
    store = Store.open(tmp_path)
    value = torch.ones(shape).to(dtype)
    store.put(Output({"value": value}), unsigned())
    read = store.artifact(KEY).tensor("value")
    assert read.dtype == dtype
    assert read.equal(value)


def test_a_view_is_stored_as_what_it_shows(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    whole = torch.arange(12.0).reshape(3, 4)
    store.put(Output({"view": whole.t()[1:]}), unsigned())
    assert store.artifact(KEY).tensor("view").equal(whole.t()[1:])


def test_an_empty_output_is_an_output(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    manifest = store.put(Output(), unsigned())
    assert manifest.files == {}
    assert store.artifact(KEY).tensor_names == ()


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    store, _ = fill(tmp_path)
    with pytest.raises(StoreError, match=r"has no file 'tensors/none.safetensors'"):
        store.artifact(KEY).tensor("none")
    with pytest.raises(CorruptError, match="is missing"):
        store.artifact("0" * 64)
    assert store.manifest("0" * 64) is None


def test_putting_again_replaces(tmp_path: Path) -> None:
    store, first = fill(tmp_path)
    second = store.put(Output({"other": torch.zeros(1)}), unsigned())
    assert store.manifest(KEY) == second != first
    assert store.artifact(KEY).tensor_names == ("other",)
    assert not list((tmp_path / "tmp").iterdir())


# digests


def test_the_digest_by_hand(tmp_path: Path) -> None:
    _, manifest = fill(tmp_path)
    weights = sha256_json({"w": tensor_digest(torch.ones(2, 2))})
    parts = {
        "tensor/embedding": tensor_digest(torch.arange(12.0).reshape(4, 3)),
        "tensor/class.column": tensor_digest(torch.tensor([2, 0, 1])),
        "content": hashlib.sha256(b'{"ids":["a","b"]}').hexdigest(),
        "file/deep/weights.safetensors": weights,
        "file/history.json": hashlib.sha256(b'{"loss":[1.0,0.5]}').hexdigest(),
    }
    assert manifest.digest == sha256_json(parts)


def test_the_digest_is_over_what_files_say_not_how(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "store")
    weights = {"w": torch.ones(2), "v": torch.zeros(3)}
    plain = fitted(
        tmp_path / "a",
        {
            "w.safetensors": lambda path: save_file(weights, path),
            "h.json": lambda path: path.write_text('{"a": 1, "b": [2.0]}') and None,
        },
    )
    spelt = fitted(
        tmp_path / "b",
        {
            "w.safetensors": lambda path: save_file(dict(reversed(weights.items())), path, {"x": "1", "y": "2"}),
            "h.json": lambda path: path.write_text('{\n "b": [2.0],\n "a": 1}\n') and None,
        },
    )
    assert digest_of(store, plain) == digest_of(store, spelt)


@pytest.mark.parametrize(
    "other",
    [
        Output({"t": torch.tensor([1.0, 3.0])}, {"ids": ["a"]}),
        Output({"t": torch.tensor([1.0, 2.0], dtype=torch.float64)}, {"ids": ["a"]}),
        Output({"t": torch.tensor([[1.0, 2.0]])}, {"ids": ["a"]}),
        Output({"u": torch.tensor([1.0, 2.0])}, {"ids": ["a"]}),
        Output({"t": torch.tensor([1.0, 2.0])}, {"ids": ["b"]}),
        Output({"t": torch.tensor([1.0, 2.0])}),
    ],
)
def test_another_content_has_another_digest(tmp_path: Path, other: Output) -> None:
    store = Store.open(tmp_path)
    assert digest_of(store, Output({"t": torch.tensor([1.0, 2.0])}, {"ids": ["a"]})) != digest_of(store, other)


def test_remarks_do_not_enter_the_digest(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    assert digest_of(store, Output(content=1, info={"seconds": 1})) == digest_of(store, Output(content=1))


def test_a_fit_may_only_leave_what_can_be_read_safely(tmp_path: Path) -> None:
    made = fitted(tmp_path / "fit", {"weights.pt": lambda path: path.touch()})
    with pytest.raises(StoreError, match=r"a fit wrote 'weights.pt'.*only write .safetensors and .json files"):
        Store.open(tmp_path / "store").put(made, unsigned())


# crashes


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


# damage


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
    assert store.results(KEY) == []
    assert (target / "artifacts" / "manifest.json").is_file()
    assert (target / "results" / "here.json").is_file()
    assert target.parent == tmp_path / "quarantine"
    assert store.quarantine(KEY) != target, "a second time there is nothing, and the first stays"


def test_damaged_manifests_do_not_stop_a_listing(tmp_path: Path) -> None:
    store, _ = fill(tmp_path)
    other = store.put(Output(content=1), unsigned(sha256_json("another action")))
    (tmp_path / "artifacts" / KEY[:2] / KEY / "manifest.json").write_text("{}")
    assert list(store.manifests()) == [other]


# results


def test_a_result_is_never_overwritten(tmp_path: Path) -> None:
    store, _ = fill(tmp_path)
    store.put_result(result("here", 99.0))
    store.put_result(result("there", 13.0))
    store.put_cell(KEY, "r1", {"method": "A"})
    assert [record.result.last for record in store.results(KEY)] == [12.5, 13.0]
    assert store.results("0" * 64) == []


def test_a_half_written_result_does_not_count(tmp_path: Path) -> None:
    store, _ = fill(tmp_path)
    (tmp_path / "results" / KEY[:2] / KEY / ".there.json.0123").write_text("{")
    assert len(store.results(KEY)) == 1


def test_failures_are_remembered_apart(tmp_path: Path) -> None:
    store, _ = fill(tmp_path)
    assert store.failure("r1") is None
    assert store.put_failure("r1", {"message": "no"}).is_file()
    store.put_failure("r1", {"message": "no again"})
    assert store.failure("r1") == {"message": "no again"}
    store.clear_failure("r1")
    store.clear_failure("r1")
    assert store.failure("r1") is None


# stores that cannot be used


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
    errno.EROFS: "the store cannot be written: read-only file system; choose another folder with",
}
WRITERS: dict[str, Callable[[Store], Any]] = {
    "open": lambda store: Store.open(store.root),
    "put": lambda store: store.put(output(), unsigned("1" * 64)),
    "put_result": lambda store: store.put_result(result("here", 1.0, "1" * 64)),
    "put_cell": lambda store: store.put_cell("1" * 64, "r", {}),
    "put_failure": lambda store: store.put_failure("r", {}),
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


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    fill(tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    Store.open(tmp_path)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


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
    with pytest.raises(StoreError, match=r"store.json: the file is damaged; delete this file"):
        Store.open(tmp_path)
    (tmp_path / "store.json").unlink()
    assert Store.open(tmp_path).artifact(KEY).content() == {"ids": ["a", "b"]}
