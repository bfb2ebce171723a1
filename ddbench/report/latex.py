"""Write the headline of a leaderboard as a LaTeX table."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from tabulate import tabulate

from ddbench.report.headline import BEST, NOTHING, TIED, Cell, headline_of
from ddbench.report.leaderboard import Leaderboard
from ddbench.report.results import Results
from ddbench.text import one_line

_SPECIAL: Final = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "'": r"\textquotesingle{}",
    "`": r"\textasciigrave{}",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "±": r"$\pm$",
    "×": r"$\times$",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
}
_JOINED: Final = re.compile(r"([-,])(?=\1)")
_SHIFTED: Final = {"<super>": r"\textsuperscript", "<sub>": r"\textsubscript"}
_COMMANDS: Final = {BEST: r"\textbf", TIED: r"\underline"}
_PACKAGES: Final = "% \\usepackage[T1]{fontenc}\n% \\usepackage{booktabs,textcomp}\n"
_RULES: Final = ("\\toprule", "\\midrule", "\\bottomrule")


def render(results: Results, board: Leaderboard) -> str:
    """Return the headline as a ``tabular``: the best entry of a column is bold, and those tied with it are underlined.

    Comments name the packages that it needs, and the meaning of the notes.
    """
    head, mixed = headline_of(board), len(board.protocols) > 1
    rows = [
        [escape(line.method), *([escape(line.protocol)] if mixed else []), *map(_cell, line.cells)]
        for line in head.lines
    ]
    if board.chance is not None:
        rows.append(["Chance", *([escape(NOTHING)] if mixed else []), *[f"{board.chance:.1f}"] * len(head.columns)])
    headers = ["method", *(["protocol"] if mixed else []), *(f"{student} IPC {ipc}" for student, ipc in head.columns)]
    table = tabulate(rows, list(map(escape, headers)), tablefmt="latex_raw", disable_numparse=True)
    for rule in _RULES:  # tabulate's booktabs format would escape the cells again
        table = table.replace("\\hline", rule, 1)
    said = [f"{board.suite}: top-1 accuracy in %, mean and standard deviation", *head.remarks]
    said += [f"{mark}: {why}" for mark, why in (*head.legend, *head.notes) if mark not in _COMMANDS]
    comments = "".join(f"% {one_line(line)}\n" for line in said)
    return f"{comments}{_PACKAGES}{_engine(table)}{table}\n"


def _engine(table: str) -> str:
    """Return a comment on the engine if a letter has no place in the fonts of pdfLaTeX."""
    return "" if table.isascii() else "% Compile with XeLaTeX or LuaLaTeX: some names have letters beyond Latin-1.\n"


def _cell(cell: Cell) -> str:
    command = _COMMANDS.get(cell.mark)
    value = escape(cell.value)
    shown = f"{command}{{{value}}}" if command else value
    notes = " ".join(map(escape, filter(None, (cell.verdict, cell.notes))))
    return f"{shown}\\textsuperscript{{{notes}}}" if notes else shown


def escape(text: str) -> str:
    """Return a text for LaTeX. Braces keep two hyphens or two commas from becoming one sign."""
    return _JOINED.sub(r"\1{}", "".join(map(_letter, one_line(text))))


def _letter(letter: str) -> str:
    """Return a letter for LaTeX. Superscripts and subscripts become commands, since few fonts have them."""
    kind, _, plain = unicodedata.decomposition(letter).partition(" ")
    if kind in _SHIFTED:
        return f"{_SHIFTED[kind]}{{{''.join(chr(int(code, 16)) for code in plain.split())}}}"
    return _SPECIAL.get(letter, letter)
