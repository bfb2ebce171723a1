"""YAML 1.2: what a scalar is, where everything stands, and what is refused."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbench.errors import SuiteError
from ddbench.yaml_source import YamlSource, read_yaml


def read(folder: Path, text: str) -> YamlSource:
    path = folder / "s.yaml"
    path.write_text(text, encoding="utf-8")
    return read_yaml(path)


# The core schema's scalars (YAML 1.2.2, section 10.3.2), and what only YAML 1.1 or Python would read otherwise.
SCALARS = {
    "1e-4": 1e-4, "1E5": 1e5, "1e3": 1000.0, "12e03": 12000.0, "6.02e+23": 6.02e23, ".5": 0.5, "-.5": -0.5, "1.": 1.0,
    "+1.5": 1.5, "0.1": 0.1, "-.inf": -math.inf, ".INF": math.inf,
    "010": 10, "09": 9, "+12": 12, "-3": -3, "0": 0, "0o17": 15, "0x1F": 31,
    "true": True, "False": False, "TRUE": True, "null": None, "~": None, "Null": None, "": None,
    "no": "no", "off": "off", "yes": "yes", "on": "on", "y": "y", "n": "n", "No": "No", "tRUE": "tRUE",
    "1_000": "1_000", "1:30": "1:30", "0b11": "0b11", "0o9": "0o9", "0x": "0x", "1e": "1e", "e5": "e5", ".": ".",
    "-": ["-"], "1.2.3": "1.2.3", "2020-01-01": "2020-01-01", "2020-01-01 10:00:00": "2020-01-01 10:00:00",
    "2x": "2x", "1.5x": "1.5x", "inf": "inf", "nan": "nan", "NaN": "NaN", "none": "none", "=": "=", "<<": "<<",
    "'1'": "1", '"true"': "true", "'~'": "~", '"é\\n"': "é\n", "!!str 5": "5",
}  # fmt: skip


@pytest.mark.parametrize("text", [t for t in SCALARS if t != "-"])
def test_a_scalar_is_what_yaml_1_2_says(tmp_path: Path, text: str) -> None:
    value = read(tmp_path, f"key: {text}\nlist: [x, {text or '~'}]\n").values
    assert value["key"] == value["list"][1] == SCALARS[text]
    assert type(value["key"]) is type(SCALARS[text])


def test_not_a_number_is_one(tmp_path: Path) -> None:
    assert math.isnan(read(tmp_path, "key: .nan\n").values["key"])


def test_a_version_directive_does_not_bring_the_old_rules_back(tmp_path: Path) -> None:
    assert read(tmp_path, "%YAML 1.1\n---\na: no\nb: 010\n").values == {"a": "no", "b": 10}


def test_blocks_anchors_and_comments(tmp_path: Path) -> None:
    text = "a: &x [1, {b: two}]  # comment\nc: *x\nd: |\n  x\n  y\ne: >-\n  x\n  y\n1: one\n"
    expected = {"a": [1, {"b": "two"}], "c": [1, {"b": "two"}], "d": "x\ny\n", "e": "x y", 1: "one"}
    assert read(tmp_path, text).values == expected


KEYS = st.text("abcdefgh-_ 0123456789é", min_size=1, max_size=6)
TEXTS = st.text("ab:#-?{}[],&*!|>%@'\"\\ \n\té𐀀0.~", max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
def test_json_is_yaml(tmp_path_factory: pytest.TempPathFactory, value: dict[str, Any]) -> None:
    assert read(tmp_path_factory.mktemp("json"), json.dumps(value, ensure_ascii=False)).values == value


def test_every_key_and_item_has_its_place(tmp_path: Path) -> None:
    source = read(tmp_path, "suite: x\nipc: [1,  50]\nmethods:\n  A b: {generator: real}\nlist:\n  - use: x\n  - 3\n")
    lines = {path: place.removeprefix(f"{tmp_path}/s.yaml:") for path, place in source.places.items()}
    assert lines == {
        ("suite",): "1:1", ("ipc",): "2:1", ("ipc", 0): "2:7", ("ipc", 1): "2:11", ("methods",): "3:1",
        ("methods", "A b"): "4:3", ("methods", "A b", "generator"): "4:9",
        ("list",): "5:1", ("list", 0): "6:5", ("list", 0, "use"): "6:5", ("list", 1): "7:5",
    }  # fmt: skip
    assert source.place(("methods", "A b", "selector", "use")).endswith("s.yaml:4:3"), "the nearest that encloses it"
    assert source.place(("nothing",)) == source.place(()) == f"{tmp_path}/s.yaml"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", ":5:3", "duplicate key 'c'; remove one of the two"),
        ("a: {b: 1, 'b': 2}\n", ":1:11", "duplicate key 'b'"),
        ("a: [1, 2\nb: 3\n", ":2:2", "not valid YAML: expected ',' or ']'"),
        ("a:\n\tb: 1\n", ":2:1", "not valid YAML: found character '\\t'"),
        ("a: b: c\n", ":1:5", "not valid YAML: mapping values are not allowed here"),
        ("a: *b\n", ":1:4", "not valid YAML: found undefined alias 'b'"),
        ("a: 1\n---\nb: 2\n", ":2:1", "not valid YAML: but found another document"),
        ('a: "\\q"\n', ":1:6", "not valid YAML: found unknown escape character 'q'"),
        ("a: &x [1, *x]\n", ":1:4", "an alias refers to a value that contains it"),
        ("a: !!python/object/apply:os.system [ls]\n", ":1:4", "is not supported; remove it"),
        ("a:\n  b: !mine {c: 1}\n", ":2:6", "the tag !mine is not supported"),
        ("a: !mine x\n", ":1:4", "the tag !mine is not supported"),
        ("? [a, b]\n: 1\n", ":1:3", "a key must be a single word"),
        ("a: \x01\n", "", "not valid YAML: unacceptable character #x0001"),
        ("", "", "the file has no keys; write a YAML mapping"),
        ("# nothing\n", "", "the file has no keys"),
        ("{}\n", "", "the file has no keys"),
        ("- a\n", "", "the file has no keys"),
        ("word\n", "", "the file has no keys"),
    ],
)
def test_what_is_no_suite_is_said_in_one_line(tmp_path: Path, text: str, place: str, words: str) -> None:
    with pytest.raises(SuiteError) as caught:
        read(tmp_path, text)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}/s.yaml{place}: ")
    assert words in message
    assert "\n" not in message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(SuiteError, match=r"none.yaml: the file does not exist; give the path of a suite file"):
        read_yaml(tmp_path / "none.yaml")
    (tmp_path / "latin").write_bytes("a: é".encode("latin-1"))
    for path in (tmp_path, tmp_path / "latin"):
        with pytest.raises(SuiteError, match=f"{path}: cannot be read as text: ") as caught:
            read_yaml(path)
        assert "\n" not in str(caught.value)


def test_merge_keys_add_what_a_mapping_does_not_have(tmp_path: Path) -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b {y: 3, z: 4}\nc:\n  y: 5\n  <<: *a\nd: {<<: [*b, *a], w: 0}\ne: {'<<': 1}\n"
    source = read(tmp_path, text)
    assert source.values["c"] == {"y": 5, "x": 1}
    assert source.values["d"] == {"w": 0, "y": 3, "z": 4, "x": 1}
    assert source.values["e"] == {"<<": 1}
    places = {path: source.place(path).rpartition("s.yaml:")[2] for path in (("c", "x"), ("c", "y"), ("d", "z"))}
    assert places == {("c", "x"): "1:8", ("c", "y"): "4:3", ("d", "z"): "2:14"}


def test_only_regular_files_of_bounded_size_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (Path("/dev/zero"), tmp_path / "fifo", tmp_path):
        with pytest.raises(SuiteError, match="cannot be read as text: it is not a file"):
            read_yaml(path)
