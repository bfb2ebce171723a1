"""Write a leaderboard as CSV for programs and spreadsheets: one line for each entry."""

from __future__ import annotations

import csv
import io
from typing import Any, Final

from ddbench.report.leaderboard import Entry, Leaderboard
from ddbench.report.results import Results
from ddbench.text import one_line

# Spreadsheets run a cell that begins like this as a formula.
_FORMULA: Final = ("=", "+", "-", "@", "'")
_BYTE_ORDER_MARK: Final = "\ufeff"


def render(results: Results, board: Leaderboard) -> str:
    """Return the entries as CSV (RFC 4180), after the byte order mark by which spreadsheets see that it is UTF-8.

    A text that a spreadsheet would run as a formula starts with an apostrophe, and so does one that starts with an
    apostrophe itself. Without the first apostrophe, each text is as in the suite.
    """
    file = io.StringIO()
    writer = csv.DictWriter(file, list(_row(board, board.entries[0])) if board.entries else [])
    writer.writeheader()
    for entry in board.entries:
        writer.writerow({name: _cell(value) for name, value in _row(board, entry).items()})
    return _BYTE_ORDER_MARK + file.getvalue()


def _row(board: Leaderboard, entry: Entry) -> dict[str, Any]:
    last, best = entry.last, entry.best
    return {
        "suite": board.suite,
        "dataset": board.dataset,
        "method": entry.method,
        "protocol": entry.protocol,
        "student": entry.student,
        "ipc": entry.ipc,
        "images": entry.images,
        "trainings": last.n if last else 0,
        "expected": entry.expected,
        "mean": last and last.mean,
        "std": last and last.std,
        "best_mean": best and best.mean,
        "best_std": best and best.std,
        "evaluations": entry.evaluations,
        "epochs": entry.epochs,
    }


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = one_line(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
