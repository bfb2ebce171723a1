"""Anything else in place of a stored file: damage, or absent, but never another value and never a crash."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbench import limits
from ddbench.api import canonical_json
from ddbench.errors import StoreError
from ddbench.store import CorruptError, Manifest, Store
from ddbench.store.gc import collect_garbage
from ddbench.store.reading import read_cell, read_failure, read_run
from ddbench.toolkit import files, sha256_json
from ddbench.toolkit.files import parse_json, read_sealed, write_sealed
from tests.store.artifacts import KEY, failure, fill, output, result, unsigned

NO_JSON = {
    "empty": b"",
    "truncated": b'{"a": 1',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "Latin-1": b'{"a": "\xe9"}',
    "half a character": b'{"a": "\\ud800"}',
    "NaN": b'{"a": NaN}',
    "infinity": b'{"a": -Infinity}',
    "a number beyond all": b'{"a": 1e999}',
    "a name twice": b'{"a": 1, "a": 1}',
    "a name twice inside": b'{"a": [{"b": 1, "b": 1}]}',
    "too many digits": b'{"a": ' + b"9" * 5000 + b"}",
    "deep lists": b"[" * 201 + b"]" * 201,
    "very deep objects": b'{"a": ' * 100_000 + b"1" + b"}" * 100_000,
    "brackets in texts": b'["]",' * 201 + b'"["' + b',"["]' * 201,
}


@pytest.mark.parametrize("data", NO_JSON.values(), ids=NO_JSON)
def test_it_is_not_json(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_json(data)
    (tmp_path / "a.json").write_bytes(data)
    with pytest.raises(CorruptError, match="the file is damaged"):
        read_sealed(tmp_path / "a.json")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=20,
)


@given(JSON)
def test_other_json_is_read_as_it_was_written(value: Any) -> None:
    try:
        data = json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    assert parse_json(data) == value == parse_json(json.dumps(value).encode())


def test_depth_counts_lists_and_objects() -> None:
    depth = limits.JSON_DEPTH
    half = depth // 2
    for most in (b"[" * depth + b"]" * depth, b'[{"a":' * (half - 1) + b"[{}]" + b"}]" * (half - 1)):
        assert parse_json(most)
        with pytest.raises(ValueError, match="nested too deeply"):
            parse_json(b"[" + most + b"]")


def test_a_sealed_name_that_occurs_twice_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for value in ({"a": 1}, {"a": {"b": 1.5, "c": "x y"}}):
        write_sealed(path, value)
        path.write_bytes(path.read_bytes().replace(b"{", b'{"a": 7,', 1))
        with pytest.raises(CorruptError):
            read_sealed(path)


def test_a_sealed_value_that_is_too_deep_is_not_written_and_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    value: dict[str, Any] = {"a": 1}
    for depth in range(2, limits.JSON_DEPTH + 2):
        value = {"a": value}
        if depth == limits.JSON_DEPTH:
            write_sealed(path, value)
            assert read_sealed(path, exact=True) == value
    with pytest.raises(ValueError, match="recursion limit"):
        write_sealed(path, value)
    path.write_bytes(canonical_json({**value, "checksum": sha256_json(value)}).encode())
    with pytest.raises(CorruptError):
        read_sealed(path)


@given(st.dictionaries(st.text().filter(lambda name: name != "checksum"), JSON, max_size=3))
def test_what_was_written_is_exact_and_other_words_are_not(tmp_path_factory: Any, value: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("exact") / "a.json"
    write_sealed(path, value)
    assert read_sealed(path, exact=True) == value
    path.write_bytes(path.read_bytes() + b" ")
    assert read_sealed(path) == value
    with pytest.raises(CorruptError):
        read_sealed(path, exact=True)


def test_a_large_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sealed(tmp_path / "a.json", {"a": "x" * 3000})
    monkeypatch.setattr(files, "JSON_BYTES", 2000)
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("it was read"))
    with pytest.raises(CorruptError, match="the file is larger than"):
        read_sealed(tmp_path / "a.json")


def folder(path: Path) -> None:
    (path / "inside").mkdir(parents=True)


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def circle(path: Path) -> None:
    path.symlink_to(path.name)


ODD: dict[str, Callable[[Path], None]] = {
    "folder": folder,
    "empty file": Path.touch,
    "pipe": os.mkfifo,
    "dangling link": dangling,
    "circle of links": circle,
    "endless device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
@pytest.mark.parametrize("level", ["shard", "key", "file"])
def test_a_store_heals_from_any_entry(tmp_path: Path, make: Callable[[Path], None], level: str) -> None:
    store = Store.open(tmp_path)
    for room, name in (("artifacts", "manifest.json"), ("results", "here.json")):
        path = {"shard": Path(KEY[:2]), "key": Path(KEY[:2]) / KEY, "file": Path(KEY[:2]) / KEY / name}[level]
        (tmp_path / room / path).parent.mkdir(parents=True, exist_ok=True)
        make(tmp_path / room / path)
    for look in (lambda: store.manifest(KEY), lambda: store.results(KEY)):
        try:
            assert not look()
        except CorruptError:
            store.quarantine(KEY)
            assert not look()
    assert not list(store.manifests())
    assert not list(store.all_results())
    store.put(output(), unsigned())
    store.put_result(result("here", 12.5))
    assert store.artifact(KEY).content() == {"ids": ["a", "b"]}
    assert [record.result.last for record in store.results(KEY)] == [12.5]


@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_so_does_a_failure(tmp_path: Path, make: Callable[[Path], None]) -> None:
    store = Store.open(tmp_path)
    make(tmp_path / "failures" / "r1.json")
    try:
        assert store.failure("r1") is None
    except CorruptError:
        store.put_failure(failure("no"))
        assert store.failure("r1") == failure("no")
    store.clear_failure("r1")
    assert not os.path.lexists(tmp_path / "failures" / "r1.json")


@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_so_does_unfinished_work(tmp_path: Path, make: Callable[[Path], None]) -> None:
    store = Store.open(tmp_path)
    path = store.checkpoint_file(KEY, "f1")
    path.parent.mkdir()
    make(path)
    assert [name for name, _ in store.unfinished(KEY)] == [path.name]
    store.finished(KEY)
    assert not os.path.lexists(path)


@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_collecting_garbage_passes_any_entry(tmp_path: Path, make: Callable[[Path], None]) -> None:
    store, manifest = fill(tmp_path)
    for room in ("artifacts", "results", "unfinished", "cache", "quarantine", "tmp", "failures", "runs", ""):
        (tmp_path / room).mkdir(exist_ok=True)
        make(tmp_path / room / "odd\n\udcff")
        make(tmp_path / room / ".od")
    assert collect_garbage(tmp_path, set(), delete=True).artifacts == 1
    assert list(store.manifests()) == [manifest]
    assert len(list(store.all_results())) == 1


NAMES = ["../x", "/etc/x", "a/../../x", "..", "", ".", "a//b", "a/", "./a", "a\0b"]


@pytest.mark.parametrize("name", NAMES)
def test_a_manifest_names_only_files_of_its_artifact(name: str, tmp_path: Path) -> None:
    _, manifest = fill(tmp_path)
    with pytest.raises(CorruptError, match="a file is outside the artifact"):
        Manifest.parse({**manifest.to_json(), "files": {name: ["0" * 64, 1]}})


ODD_VALUES = {
    "wall_s": {"info": {"usage": {"wall_s": "1"}}},
    "usage": {"info": {"usage": [1]}},
    "a negative time": {"info": {"usage": {"wall_s": -1.0}}},
    "device": {"info": {"environment": {"device": 1, "device_model": "x"}}},
    "threads": {"info": {"environment": {"device": "cpu", "device_model": "x", "threads": 0}}},
    "pool_size": {"info": {"pool_size": 2**63}},
    "samples": {"info": {"samples": -1}},
    "notes": {"info": {"notes": "x"}},
    "created": {"info": {"created": 1}},
    "uses": {"recipe": {"uses": {"a": "x"}, "settings": {}}},
    "a component without version": {"recipe": {"uses": {"a": {"name": "x"}}, "settings": {}}},
    "settings": {"recipe": {"uses": {}, "settings": 1}},
    "no settings": {"recipe": {"uses": {}}},
}


@pytest.mark.parametrize("odd", ODD_VALUES.values(), ids=ODD_VALUES)
def test_a_manifest_with_odd_types_is_damage(odd: dict[str, Any], tmp_path: Path) -> None:
    store, manifest = fill(tmp_path)
    path = tmp_path / "artifacts" / KEY[:2] / KEY / "manifest.json"
    write_sealed(path, {**manifest.to_json(), "later": 1, "info": {"later": 1}})
    assert store.manifest(KEY) is not None
    write_sealed(path, {**manifest.to_json(), **odd})
    with pytest.raises(CorruptError, match="not a valid manifest: "):
        store.manifest(KEY)


def test_notes_failures_and_runs_are_bound_to_their_places(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    store.put_cell(KEY, "r1", {"suite": "s", "method": "A"})
    store.put_failure(failure())
    write_sealed(tmp_path / "runs" / "one" / "suite.json", {"run": "one", "file": "s.yaml", "suite": {}})
    places: dict[Callable[..., Any], tuple[Path, Path]] = {
        read_cell: (tmp_path / "results" / KEY[:2] / KEY / "cell-r1.json", Path("cell-r2.json")),
        read_failure: (tmp_path / "failures" / "r1.json", Path("r2.json")),
    }
    for read, (path, other) in places.items():
        assert read(path) is not None
        path.rename(path.with_name(other.name))
        with pytest.raises(CorruptError, match=r"belongs to .*r1"):
            read(path.with_name(other.name))
    assert read_run(tmp_path / "runs" / "one" / "suite.json") is not None
    (tmp_path / "runs" / "one").rename(tmp_path / "runs" / "two")
    with pytest.raises(CorruptError, match="belongs to one"):
        read_run(tmp_path / "runs" / "two" / "suite.json")


def test_a_file_that_may_not_be_read_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, _ = fill(tmp_path)

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(StoreError, match="the file cannot be read: Permission denied") as caught:
        store.results(KEY)
    assert not isinstance(caught.value, CorruptError)
