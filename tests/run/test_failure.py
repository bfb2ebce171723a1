"""Exceptions are described in one line with their place in the component."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from ddbench.run.failure import describe, trace_of

CODE = """
import json, sys, re

class Mute(Exception):
    def __str__(self):
        raise ValueError("no")

def select_class(what):
    if what == "deep":
        return json.loads("{")
    if what == "exit":
        sys.exit("no faiss here")
    if what == "quit":
        raise SystemExit
    if what == "lines":
        raise RuntimeError("\\n\\n  CUDA error\\nmore")
    if what == "empty":
        raise KeyError
    if what == "mute":
        raise Mute
    if what == "screen":
        raise ValueError("\\x1b[2Jcleared")
    if what == "long":
        raise ValueError("x" * 10_000_000)
    if what == "group":
        raise ExceptionGroup("two", [ValueError("a"), TypeError("b")])
    if what == "cause":
        raise ValueError("outer") from KeyError("inner")
    if what == "recursion":
        select_class(what)
    raise ValueError("matrix is singular at class 3")
"""


@pytest.fixture
def select_class(tmp_path: Path) -> Callable[[str], None]:
    path = tmp_path / "facility.py"
    path.write_text(CODE)
    spec = spec_from_file_location("facility", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.select_class


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("", "ValueError: matrix is singular at class 3 (facility.py:31 in select_class)"),
        ("deep", "JSONDecodeError: Expecting property name enclosed in double quotes: line 1 column 2 (char 1) ("),
        ("exit", "it called exit(): no faiss here (facility.py:12 in select_class)"),
        ("quit", "it called exit() (facility.py:14 in select_class)"),
        ("lines", "RuntimeError: CUDA error (facility.py:16 in select_class)"),
        ("empty", "KeyError (facility.py:18 in select_class)"),
        ("mute", "Mute: its message cannot be shown (facility.py:20 in select_class)"),
        ("screen", r"ValueError: \x1b[2Jcleared (facility.py:22 in select_class)"),
        ("long", "ValueError: xxx"),
        ("group", "ExceptionGroup: two (2 sub-exceptions) (facility.py:26 in select_class)"),
        ("cause", "ValueError: outer (facility.py:28 in select_class)"),
        ("recursion", "RecursionError: maximum recursion depth exceeded"),
    ],
)
def test_one_line_with_its_place(select_class: Callable[[str], None], what: str, said: str) -> None:
    with pytest.raises(BaseException) as caught:  # noqa: PT011  (any exception of a component)
        select_class(what)
    line = describe(caught.value)
    assert line.startswith(said)
    assert line.count("facility.py:") == 1
    assert len(line) < 500
    assert len(line.splitlines()) == 1
    assert len(trace_of(caught.value)) <= 100_000


def test_names_that_are_no_utf8_can_be_stored() -> None:
    assert trace_of(ValueError("/data/caf\udce9")).endswith("ValueError: /data/caf\\udce9\n")
