"""Format a leaderboard as Markdown: the headline table, then the details."""

from __future__ import annotations

from tabulate import tabulate

from ddbench.report.headline import BEST, NOTHING, Cell, headline_of
from ddbench.report.leaderboard import Leaderboard
from ddbench.report.results import Results
from ddbench.report.section import Section
from ddbench.report.sections import preamble, sections_of
from ddbench.text import markdown

_MARKS = {BEST: "**bold**"}


def render(results: Results, board: Leaderboard) -> str:
    """Return the whole page. It needs the leaderboard only."""
    return to_markdown(board)


def to_markdown(board: Leaderboard) -> str:
    """Return the whole page, with a final newline. Equal results give equal bytes."""
    parts = [f"# {markdown(board.suite)}", "  \n".join(preamble(board)), "## Last accuracy", *_headline(board)]
    for section in sections_of(board):
        parts += _section(section)
    return "\n\n".join(parts) + "\n"


def _headline(board: Leaderboard) -> list[str]:
    """Return the table of methods by student and IPC, and the list of its marks and notes."""
    head, mixed = headline_of(board), len(board.protocols) > 1
    rows = [
        [markdown(line.method), *([markdown(line.protocol)] if mixed else []), *map(_cell, line.cells)]
        for line in head.lines
    ]
    if board.chance is not None:
        rows.append(["Chance", *([NOTHING] if mixed else []), *[f"{board.chance:.1f}"] * len(head.columns)])
    columns = [markdown(f"{student} IPC {ipc}") for student, ipc in head.columns]
    table = _table(rows, ["method", *(["protocol"] if mixed else []), *columns])
    said = [(_MARKS.get(mark, mark), what) for mark, what in (*head.legend, *head.notes)]
    lines = [*(f"- {mark}: {markdown(what)}" for mark, what in said), *(f"- {what}" for what in head.remarks)]
    return [table, "\n".join(lines)] if lines else [table]


def _cell(cell: Cell) -> str:
    """Return a cell; the best one is bold."""
    best = cell.mark == BEST
    parts = [f"**{cell.value}**" if best else cell.value, "" if best else cell.mark, cell.verdict, cell.notes]
    return " ".join([parts[0], *(markdown(part) for part in parts[1:] if part)])


def _section(section: Section) -> list[str]:
    """Return the title, the text, the table and the list of a section."""
    rows = [list(map(markdown, row)) for row in section.rows]
    table = _table(rows, list(map(markdown, section.headers)))
    items = "\n".join(f"- {item}" for item in section.items)
    return [part for part in (f"## {section.title}", section.text, table, items) if part]


def _table(rows: list[list[str]], headers: list[str]) -> str:
    """Return a Markdown table of escaped texts."""
    return tabulate(rows, headers, tablefmt="github", disable_numparse=True)
