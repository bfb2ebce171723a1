"""Write a leaderboard as CSV for programs and spreadsheets: one line for each entry."""

from __future__ import annotations

import csv
import io
from itertools import zip_longest
from typing import Any, Final
from unicodedata import normalize

from ddbench.report.leaderboard import Entry, Leaderboard
from ddbench.report.results import Results
from ddbench.report.standings import Standing
from ddbench.text import one_line

# Spreadsheets run a cell that begins like this as a formula, some also after spaces or with a sign of full width.
_FORMULA: Final = ("=", "+", "-", "@", "'")
_BYTE_ORDER_MARK: Final = "\ufeff"


def render(results: Results, board: Leaderboard) -> str:
    """Return the entries as CSV (RFC 4180), after the byte order mark by which spreadsheets see that it is UTF-8.

    A text that a spreadsheet would run as a formula starts with an apostrophe, and so does one that starts with an
    apostrophe itself. Without the first apostrophe, each text is as in the suite.
    """
    file = io.StringIO()
    rows = [_row(board, *pair) for pair in zip_longest(board.entries, board.statistics.standings)]
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows({name: _cell(value) for name, value in row.items()} for row in rows)
    return _BYTE_ORDER_MARK + file.getvalue()


def _row(board: Leaderboard, entry: Entry, standing: Standing | None) -> dict[str, Any]:
    last, best, spread = entry.last, entry.best, standing.spread if standing else None
    rank, verdict = (standing.rank, standing.verdict) if standing else (None, None)
    low, high = (spread and spread.interval) or (None, None)
    from_low, from_high = (verdict and verdict.interval) or (None, None)
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
        "sets": spread and spread.sets,
        "mean": spread.mean if spread else last and last.mean,
        "std_sets": spread and spread.sd_sets,
        "std_trainings": last and last.std,
        "low": low,
        "high": high,
        "interval_over": spread and spread.interval and spread.unit,
        "rank_low": rank and rank.low,
        "rank_high": rank and rank.high,
        "against": verdict and verdict.against,
        "against_protocol": verdict and standing and (standing.against_protocol or standing.protocol),
        "verdict": verdict and verdict.word,
        "difference": verdict and verdict.difference,
        "difference_low": from_low,
        "difference_high": from_high,
        "p": verdict and verdict.p,
        "more_sets": verdict and verdict.sets_needed,
        "best_mean": best and best.mean,
        "best_std": best and best.std,
        "evaluations": entry.evaluations,
        "epochs": entry.epochs,
    }


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = one_line(value)
    return f"'{text}" if normalize("NFKC", text).lstrip().startswith(_FORMULA) else text
