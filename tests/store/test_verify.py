"""``ddbench verify``: every changed byte is told, and a repair leaves only that to be done again."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ddbench.api import sha256_json
from ddbench.errors import StoreError
from ddbench.store import Output, Store, layout, verify
from ddbench.store.verify import Findings, verify_store
from ddbench.toolkit.files import read_sealed, remove, write_sealed
from tests.store.artifacts import KEY, failure, fill, predicted, result, unsigned
from tests.store.test_odd_entries import ODD

ARTIFACT = Path("artifacts") / KEY[:2] / KEY
RESULT = Path("results") / KEY[:2] / KEY
OTHER = sha256_json("another action")


def checked(root: Path, *, repair: bool = False, threads: int = 2) -> Findings:
    return verify_store(root, repair=repair, progress=lambda found: None, threads=threads)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a store with an entry of every kind."""
    store, _ = fill(tmp_path)
    store.put_result(result("there", 13.0))
    store.put_result(*predicted())
    store.put_cell(KEY, "r1", {"suite": "s", "method": "A"})
    store.put_failure(failure("no"))
    (tmp_path / "runs" / "one").mkdir()
    write_sealed(tmp_path / "runs" / "one" / "suite.json", {"run": "one", "file": "s.yaml", "suite": {}})
    (tmp_path / "runs" / "one" / "events.jsonl").write_text("{}\n")
    return tmp_path


def snapshot(root: Path) -> dict[Path, tuple[int, bytes]]:
    files = (path for path in root.rglob("*") if path.is_file())
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_a_whole_store_has_no_damage_and_is_left_alone(root: Path) -> None:
    before = snapshot(root)
    found = checked(root)
    assert found.entries == {
        "artifacts": 1, "results": 3, "predictions": 1, "notes on cells": 1, "failures": 1, "runs": 1, "store": 1,
    }  # fmt: skip
    assert (found.damage, found.unknown, dict(found.unchecked)) == ([], [], {layout.LOGS: 1})
    assert found.size == Store(root).artifact(KEY).manifest.size
    assert snapshot(root) == before


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def replace_by_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def reformat(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text())))


def forge(path: Path) -> None:
    write_sealed(path, {"forged": True})


DAMAGES: dict[str, Callable[[Path], object]] = {
    "emptied": lambda path: path.write_bytes(b""),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-3]),
    "extended": lambda path: path.write_bytes(path.read_bytes() + b" "),
    "a folder": replace_by_folder,
    "a dangling link": replace_by_link,
    "forged": forge,
    "deep": lambda path: path.write_bytes(b"[" * 100_000),
}
FILES = {
    ARTIFACT / "manifest.json": ARTIFACT,
    ARTIFACT / "content.json": ARTIFACT,
    ARTIFACT / "files" / "history.json": ARTIFACT,
    ARTIFACT / "tensors" / "embedding.safetensors": ARTIFACT,
    RESULT / "here.json": RESULT / "here.json",
    RESULT / "cell-r1.json": RESULT / "cell-r1.json",
    Path("failures") / "r1.json": Path("failures") / "r1.json",
    Path("runs") / "one" / "suite.json": Path("runs") / "one" / "suite.json",
    Path("store.json"): Path("store.json"),
}


@pytest.mark.parametrize("file", FILES, ids=str)
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_every_kind_of_damage_is_told_and_repaired(root: Path, file: Path, damage: Callable[[Path], object]) -> None:
    whole = snapshot(root)
    damage(root / file)
    (told,) = checked(root).damage
    assert told.path == root / FILES[file]
    assert told.problem.startswith(f"{root / file}: ")
    assert "\n" not in told.problem
    (moved,) = checked(root, repair=True).damage
    assert moved.kept is not None
    assert (moved.kept / FILES[file]).is_symlink() or (moved.kept / FILES[file]).exists()
    after = checked(root)
    assert after.damage == []
    left = {path: content for path, content in snapshot(root).items() if path in whole}
    assert (root / "store.json") in left, "it is written again"
    expected = {path: content for path, content in whole.items() if not path.is_relative_to(root / FILES[file])}
    left.pop(root / FILES[file], None)
    assert left == expected, "everything else stays as it was"


@pytest.mark.parametrize("file", [file for file in FILES if file.name not in ("content.json", "history.json")], ids=str)
def test_json_in_other_words_is_told_though_its_values_are_equal(root: Path, file: Path) -> None:
    if file.suffix == ".json":
        reformat(root / file)
        assert read_sealed(root / file) is not None
        assert len(checked(root).damage) == 1


def test_an_entry_in_another_place_is_told(root: Path) -> None:
    store = Store(root)
    store.put(Output(content=1), unsigned(OTHER))
    store.put_result(result("here", 90.0, OTHER))
    for file in (ARTIFACT / "manifest.json", RESULT / "here.json"):
        theirs = root / Path(str(file).replace(KEY, OTHER).replace(f"/{KEY[:2]}/", f"/{OTHER[:2]}/"))
        mine, other = (root / file).read_bytes(), theirs.read_bytes()
        (root / file).write_bytes(other)
        theirs.write_bytes(mine)
    assert sorted({each.kind for each in checked(root).damage}) == ["artifacts", "results"]
    assert len(checked(root).damage) == 4


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damaged_predictions_are_moved_aside_with_their_record(root: Path, damage: Callable[[Path], object]) -> None:
    path = root / RESULT / "where.npy"
    if damage is reformat:
        return
    damage(path)
    (told,) = checked(root).damage
    assert (told.kind, told.path) == ("predictions", path)
    assert told.problem.startswith(f"{path}: ")
    checked(root, repair=True)
    assert not path.exists()
    assert not path.with_suffix(".json").exists(), "the next run trains again"
    assert checked(root).damage == []


def test_missing_predictions_are_told(root: Path) -> None:
    path = root / RESULT / "where.npy"
    path.unlink()
    (told,) = checked(root).damage
    assert (told.path, told.problem) == (path.with_suffix(".json"), f"{path}: the predictions are missing")


def test_predictions_without_a_record_are_left_by_a_killed_training(root: Path) -> None:
    (root / RESULT / "where.json").unlink()
    found = checked(root)
    assert (found.damage, found.unknown, found.unchecked[layout.LEFTOVERS]) == ([], [], 1)


def test_predictions_that_no_record_names_are_unknown(root: Path) -> None:
    (root / RESULT / "here.npy").write_bytes(b"")
    assert checked(root).unknown == [root / RESULT / "here.npy"]


def test_files_that_gc_removed_are_no_damage_and_lost_ones_are(root: Path) -> None:
    store = Store(root)
    store.drop_payload(store.artifact(KEY).manifest)
    found = checked(root)
    assert (found.damage, found.removed, found.size) == ([], 1, 0)
    (root / ARTIFACT / "manifest.json").unlink()
    assert [each.problem for each in checked(root).damage] == [
        f"{root / ARTIFACT / 'manifest.json'}: the manifest is missing"
    ]


def test_unknown_files_are_told_and_stay(root: Path) -> None:
    odd = [
        root / "notes.txt",
        root / "artifacts" / ".DS_Store",
        root / ARTIFACT.parent / "x y",
        root / ARTIFACT / "tensors" / "other.safetensors",
        root / RESULT / "old.json~",
        root / "failures" / "r1.txt",
        root / "runs" / "stray",
    ]
    for path in odd:
        path.touch()
    (root / "other").mkdir()
    found = checked(root, repair=True)
    assert sorted(found.unknown) == sorted([*odd, root / "other"])
    assert found.damage == []
    assert all(path.exists() for path in odd)


@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
@pytest.mark.parametrize("place", ["failures", "runs", "runs/one", "artifacts", "results", "tmp", "other", "run.lock"])
def test_any_entry_in_place_of_a_folder_is_told(root: Path, make: Callable[[Path], None], place: str) -> None:
    remove(root / place)
    make(root / place)
    found = checked(root)
    assert found.damage == []
    known = place != "other" and ((root / place).is_dir() or place in layout.UNCHECKED)
    assert (root / place in found.unknown) is not known


def test_half_written_files_are_no_damage(root: Path) -> None:
    for folder in (root, root / RESULT, root / "failures"):
        (folder / f".here.json.{'0' * 32}").write_text("{")
    found = checked(root)
    assert (found.damage, found.unknown, found.unchecked[layout.LEFTOVERS]) == ([], [], 3)


def test_an_entry_that_a_run_replaces_meanwhile_is_read_again(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, calls = verify.read_manifest, []

    def replaced(folder: Path, *, exact: bool) -> object:
        manifest = read(folder, exact=exact)
        if not calls:
            Store(root).put(Output(content=2), unsigned())
        calls.append(folder)
        return manifest

    monkeypatch.setattr(verify, "read_manifest", replaced)
    assert checked(root).damage == []
    assert len(calls) == 2


def test_a_file_that_cannot_be_read_is_told_and_stays(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_bytes

    def refuse(self: Path) -> bytes:
        if self.name == "here.json":
            raise PermissionError(13, "Permission denied")
        return read(self)

    monkeypatch.setattr(Path, "read_bytes", refuse)
    (told,) = checked(root, repair=True).damage
    assert told.problem == f"{root / RESULT / 'here.json'}: the file cannot be read: Permission denied"
    assert not told.movable
    assert told.kept is None
    assert (root / RESULT / "here.json").exists()


def test_a_store_that_cannot_be_written_is_checked_but_not_repaired(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Path.open

    def refuse(self: Path, mode: str = "r", *args: Any, **more: Any) -> Any:
        if set(mode) & set("wax+"):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))
        return opened(self, mode, *args, **more)

    (root / RESULT / "here.json").write_text("{}")
    monkeypatch.setattr(Path, "open", refuse)
    assert len(checked(root).damage) == 1
    with pytest.raises(StoreError, match=r"run\.lock: the lock cannot be opened: Read-only file system"):
        checked(root, repair=True)


def test_few_entries_are_held_at_a_time(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    ahead = most = 0

    def endless(root: Path) -> Iterator[layout.Entry]:
        nonlocal ahead, most
        for number in range(2000):
            ahead += 1
            most = max(most, ahead)
            yield layout.Entry(layout.UNKNOWN, root / str(number), layout.LOGS)

    def progress(found: Findings) -> None:
        nonlocal ahead
        ahead -= 1

    monkeypatch.setattr(layout, "entries", endless)
    found = verify_store(root, repair=False, progress=progress, threads=2)
    assert found.unchecked[layout.LOGS] == 2000
    assert most < 100


def test_findings_do_not_depend_on_the_threads(root: Path) -> None:
    store = Store(root)
    for number in range(40):
        store.put(Output(content=number), unsigned(sha256_json(number)))
    for path in sorted((root / "artifacts").glob("*/*/content.json"))[::3]:
        path.write_text("damaged")
    assert checked(root, threads=1) == checked(root, threads=8)
