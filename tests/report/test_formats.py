"""The files that a leaderboard becomes, read by other programs."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddbench.report.formats import FORMATS
from ddbench.report.latex import escape
from ddbench.report.leaderboard import Leaderboard, leaderboard_of
from tests.conftest import Cli
from tests.report.boards import board
from tests.report.stores import stored

# A row's name has no control characters.
NAMES = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=30)
ODD = (r"a\b^c~d_{e}#$%&", "<x>|\"y'`z--w---,,q", "=1+1 ?` !` <<>>", "½ S³ H₂O é ß ± – — × ≥", "\\hline")


def written(name: str, shown: Leaderboard) -> str:
    results: Any = None  # no format here needs it
    return FORMATS[name].render(results, shown)


def table(shown: Leaderboard) -> list[dict[str, str]]:
    """Return what Python's reader finds in the CSV."""
    text = written("csv", shown).encode()
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline="")))


@given(st.lists(NAMES, min_size=1, max_size=3, unique=True))
def test_names_come_back_from_csv(names: list[str]) -> None:
    found = [row["method"] for row in table(board(dict.fromkeys(names, (1.0, 2.0))))]
    assert [name.removeprefix("'") if name[:1] == "'" else name for name in found] == names


@pytest.mark.parametrize("name", ["=1+1", "+SAS", "-x", "@cmd", "'quoted", '=HYPERLINK("x","y")', " =1+1", "\uff1d1+1"])
def test_no_spreadsheet_runs_a_name(name: str) -> None:
    assert table(board({name: (1.0, 2.0)}))[0]["method"] == f"'{name}"


def test_csv_has_the_numbers_of_the_board() -> None:
    shown = board(baseline="C")
    first, _, control, single = table(shown)
    verdict = shown.statistics.standings[0].verdict
    assert verdict is not None
    assert (float(first["mean"]), float(first["std_sets"]), first["sets"]) == (41.0, 1.0, "3")
    assert float(first["low"]) == pytest.approx(41 - 4.302652729911275 / 3**0.5)
    assert (first["rank_low"], first["rank_high"], first["verdict"], first["against"]) == ("1", "2", "better", "C")
    assert float(first["p"]) == verdict.p
    assert (control["verdict"], control["difference"]) == ("", "")
    assert (single["low"], single["rank_low"], single["std_sets"]) == ("", "", "")


def test_csv_begins_with_the_mark_by_which_a_spreadsheet_sees_utf_8() -> None:
    assert written("csv", board()).encode().startswith(b"\xef\xbb\xbfsuite,")


def test_json_is_the_board() -> None:
    assert json.loads(written("json", board())) == json.loads(json.dumps(board().to_json()))


def test_latex_has_the_best_in_bold_and_its_ties_underlined() -> None:
    lines = [" ".join(line.split()) for line in written("latex", board(baseline="C")).splitlines()]
    assert r"A & \textbf{41.0 $\pm$ 1.0}\textsuperscript{+} \\" in lines
    assert r"B & \underline{40.2 $\pm$ 1.3}\textsuperscript{+} \\" in lines
    assert r"D & 45.0\textsuperscript{? a} \\" in lines
    assert "% a: one distilled set, so the spread of sets is unknown; no interval and no rank" in lines
    assert [line for line in lines if line.endswith("rule")] == [r"\toprule", r"\midrule", r"\bottomrule"]


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        (r"50 % & \x_1", r"50 \% \& \textbackslash{}x\_1"),
        ("a--b---c", "a-{}-b-{}-{}-c"),
        ("S³, H₂O", r"S\textsuperscript{3}, H\textsubscript{2}O"),
        ("a\nb", r"a\textbackslash{}nb"),
    ],
)
def test_latex_is_escaped(text: str, escaped: str) -> None:
    assert escape(text) == escaped


def test_letters_that_pdflatex_lacks_are_told() -> None:
    assert "XeLaTeX" not in written("latex", board())
    assert "XeLaTeX" in written("latex", board({"名前": (1.0, 2.0), "B": (1.0, 2.0)}))


LATEX = shutil.which("pdflatex") or shutil.which("tectonic")


@pytest.mark.skipif(LATEX is None, reason="neither pdflatex nor tectonic is installed")
def test_latex_compiles(tmp_path: Path) -> None:
    assert LATEX is not None
    shown = written("latex", replace(board(dict.fromkeys(ODD, (1.0, 2.0)), baseline=ODD[0]), chance=10.0))
    packages = "\n".join(line.removeprefix("% ") for line in shown.splitlines() if "\\usepackage" in line)
    page = f"\\documentclass{{article}}\n{packages}\n\\begin{{document}}\n{shown}\\end{{document}}\n"
    (tmp_path / "page.tex").write_text(page, encoding="utf-8")
    halt = ["-interaction=nonstopmode", "-halt-on-error"] if LATEX.endswith("pdflatex") else []
    ended = subprocess.run(
        [LATEX, *halt, "page.tex"], cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=120
    )
    assert ended.returncode == 0, ended.stdout[-2000:]
    assert (tmp_path / "page.pdf").stat().st_size > 1000


def test_the_help_names_each_format(cli: Cli) -> None:
    help_ = " ".join(cli("report", "--help", env_extra={"COLUMNS": "300"}).stdout.split())
    assert f"{', '.join(list(FORMATS)[:-1])} or {list(FORMATS)[-1]}." in help_


def test_an_unknown_format_is_a_mistake_of_one_line(cli: Cli) -> None:
    for name, hint in {"latx": "did you mean 'latex'?", "word": "known: csv, "}.items():
        assert cli("report", "smoke", "--format", name).stderr.startswith(f"error: there is no format '{name}'; {hint}")


@pytest.mark.parametrize("name", FORMATS)
def test_equal_results_give_equal_text(name: str, tmp_path: Path) -> None:
    one, other = stored(tmp_path / "a"), stored(tmp_path / "b")
    render = FORMATS[name].render
    assert render(one, leaderboard_of(one)) == render(other, leaderboard_of(other))
