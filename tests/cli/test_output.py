"""Tables of verbs."""

from __future__ import annotations

import re

import pytest

from ddbench.cli.output import print_table

HEADERS = ("stage", "nodes", "stored", "to run", "makes", "operations", "time", "time left", "estimated from")
ROW = ("generate", 3, 0, 3, "1,200 images", "1.87 TFLOP", "≥ 56.4 s", "≥ 56.4 s", "FLOPs and recorded timings")


def test_a_terminal_of_80_columns_cuts_no_word_of_a_header(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    print_table(HEADERS, [ROW])
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "…" not in shown
    assert set(" ".join(HEADERS).split()) <= set(shown.split())


def test_a_terminal_of_80_columns_shows_a_name_on_one_line_and_loses_no_letter(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    long = "x" * 100
    print_table(("suite", "dataset", "about"), [("papers/psr-table2-rded-convnet5", long, "The table " * 30)])
    shown = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert all(len(line) <= 80 for line in shown.splitlines())
    assert "papers/psr-table2-rded-convnet5" in shown
    assert "…" not in shown
    assert shown.count("x") == 100
