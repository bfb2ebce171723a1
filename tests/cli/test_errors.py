"""A mistake in a suite is one line; a terminal shows its place, and a program reads JSON."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from ddbench.cli import output
from ddbench.errors import DdbenchError
from tests.conftest import Cli
from tests.suite.suites import write


def shown(monkeypatch: pytest.MonkeyPatch, where: str, width: int = 60) -> list[str]:
    """Return what a terminal shows of an error at a place."""
    console = Console(file=io.StringIO(), force_terminal=True, width=width)
    monkeypatch.setattr(output, "stderr", console)
    output.fail(DdbenchError("it is wrong", where=where, hint="mend it"))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return str(text).splitlines()


@pytest.mark.parametrize(
    ("text", "column", "caret"),
    [
        ("ipc: [1, two]", 10, "         ^"),
        ("名: [1]", 4, "    ^"),  # two columns of the terminal
        ("a\tb", 3, "   ^"),  # a tab is shown as \t
        ("é" * 400 + "x", 401, None),
    ],
)
def test_a_terminal_shows_the_line_and_a_caret(
    text: str, column: int, caret: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(f"first: 1\n{text}\n", encoding="utf-8")
    error, line, below = shown(monkeypatch, f"{path}:2:{column}")
    assert error == f"error: {path}:2:{column}: it is wrong; mend it"
    assert max(len(line), len(below)) <= 60
    if caret is None:
        assert line[below.index("^")] == "x"
    else:
        assert (line, below) == ("2 | " + text.replace("\t", "\\t"), "    " + caret)


@pytest.mark.parametrize("where", ["smoke:2:1", "suite.yaml", "{path}:99:1", "{path}:0:1"])
def test_a_place_without_a_line_is_one_line(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text("first: 1\n")
    assert len(shown(monkeypatch, where.format(path=path))) == 1


def test_other_output_stays_one_line(cli: Cli, tmp_path: Path) -> None:
    write(tmp_path, "dataset: dot")
    assert cli("plan", "suite.yaml").stderr.count("\n") == 1


def test_errors_are_json_where_results_are(cli: Cli, tmp_path: Path) -> None:
    _, place = write(tmp_path, "dataset: §dot")
    done = cli("plan", "suite.yaml", "--json")
    assert (done.returncode, done.stderr) == (2, "")
    message, hint = "there is no dataset 'dot'", "did you mean 'dots'?"
    where = f"suite.yaml{place.rpartition(':')[0]}:1"
    assert json.loads(done.stdout) == {"error": {"message": message, "where": where, "hint": hint}}
