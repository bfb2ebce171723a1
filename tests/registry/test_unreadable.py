"""Malformed packages hide no plug-in, and an error in a plug-in is told as its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ddbench.registry import Catalogue, plugins
from tests.registry.packages import package, selector


def test_a_malformed_list_of_entry_points_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "unreadable", {})
    package(tmp_path, "ddbench_test_listed", {"m.py": selector("listed")})
    package(tmp_path, "ddbench_test_malformed", {})
    (tmp_path / "ddbench_test_malformed-1.0.dist-info" / "entry_points.txt").write_text(
        "[ddbench]\nno sign of equality\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    known = Catalogue(plugins.installed())
    assert known.get("selector", "listed").info.name == "listed"
    (line,) = (line for line in known.problems() if "malformed" in line)
    assert line.startswith("the entry points of ddbench_test_malformed cannot be read: TypeError: ")


def test_what_a_plug_in_prints_does_not_reach_stdout(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sys.path.insert(0, str(tmp_path))
    try:
        Catalogue([package(tmp_path, "ddbench_test_loud", {"m.py": "print('hello')\n" + selector("loud")})])
    finally:
        sys.path.remove(str(tmp_path))
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "hello\n")


def test_only_an_error_in_a_plug_in_is_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = package(tmp_path, "ddbench_test_failing", {"m.py": "def f():\n    1 / 0\n"})
    monkeypatch.setattr(plugins, "_entries", lambda: [entry])
    from ddbench_test_failing.m import f

    with pytest.raises(ZeroDivisionError) as caught:
        f()
    assert plugins.blamed(caught.value) == "a plug-in failed: m.py:2: ZeroDivisionError: division by zero"
    with pytest.raises(ZeroDivisionError) as ours:
        _ = 1 / 0
    assert plugins.blamed(ours.value) is None
