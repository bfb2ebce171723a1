"""Sealed files against a plain spelling with the library json."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbench.toolkit.files import CorruptError, read_sealed, sealed, write_many, write_sealed

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner), max_leaves=20)
OBJECTS = st.dictionaries(TEXTS.filter(lambda name: name != "checksum"), VALUES)


def spelled(value: dict[str, Any]) -> bytes:
    """Return a sealed file by json alone."""
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    whole = {**value, "checksum": hashlib.sha256(canonical.encode()).hexdigest()}
    return json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"


@given(OBJECTS)
def test_the_bytes_are_those_of_json(value: dict[str, Any]) -> None:
    assert sealed(value) == spelled(value)


@given(OBJECTS)
def test_what_is_read_was_written(tmp_path_factory: pytest.TempPathFactory, value: dict[str, Any]) -> None:
    path = tmp_path_factory.mktemp("sealed") / "file.json"
    write_sealed(path, value)
    assert repr(read_sealed(path, exact=True)) == repr(json.loads(json.dumps(value, sort_keys=True)))


@pytest.mark.parametrize("number", [1e-05, 5e-324, 1e16, 1.7976931348623157e308, -0.0, 2**63, 2**64, 10**300])
def test_numbers_that_libraries_spell_differently(tmp_path: Path, number: float) -> None:
    write_sealed(tmp_path / "file.json", {"number": number, "array": [], "object": {}})
    assert sealed({"number": number}) == spelled({"number": number})
    assert repr((read_sealed(tmp_path / "file.json", exact=True) or {})["number"]) == repr(number)


def test_a_file_in_another_layout_is_intact_but_not_exact(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(b" " + spelled({"b": 1e-05, "a": 1}))
    assert read_sealed(path) == {"a": 1, "b": 1e-05}
    with pytest.raises(CorruptError, match="damaged"):
        read_sealed(path, exact=True)


def test_many_files_are_written_or_none(tmp_path: Path) -> None:
    write_many(tmp_path / "new", [("a", b"1"), ("b", b"2")])
    assert {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()} == {"a": b"1", "b": b"2"}

    def failing() -> Any:
        yield "a", b"3"
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011  (any will do)
        write_many(tmp_path / "new", failing())
    assert {path.name: path.read_bytes() for path in (tmp_path / "new").iterdir()} == {"a": b"1", "b": b"2"}
