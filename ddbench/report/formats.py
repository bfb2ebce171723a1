"""The formats of reports. A format is one function that returns a file as text."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ddbench.errors import DdbenchError, did_you_mean
from ddbench.report.leaderboard import Leaderboard
from ddbench.report.results import Results


@dataclass(frozen=True)
class Format:
    """A format of reports.

    Attributes:
        suffix: the end of a file's name.
        render: returns the file. Equal results give equal text on every machine.
        is_page: True if folders of leaderboards have a file of each suite in this format.
    """

    suffix: str
    render: Callable[[Results, Leaderboard], str]
    is_page: bool = False


def _markdown(results: Results, board: Leaderboard) -> str:
    from ddbench.report.markdown import render

    return render(results, board)


def _html(results: Results, board: Leaderboard) -> str:
    from ddbench.report.page import to_html

    return to_html(results, board)


def _latex(results: Results, board: Leaderboard) -> str:
    from ddbench.report.latex import render

    return render(results, board)


def _csv(results: Results, board: Leaderboard) -> str:
    from ddbench.report.csv_table import render

    return render(results, board)


def _json(results: Results, board: Leaderboard) -> str:
    return json.dumps(board.to_json(), indent=2, ensure_ascii=False) + "\n"


# By name. The code of a format is loaded when it is first used.
FORMATS: Final = {
    "md": Format(".md", _markdown, is_page=True),
    "html": Format(".html", _html, is_page=True),
    "latex": Format(".tex", _latex),
    "csv": Format(".csv", _csv),
    "json": Format(".json", _json),
}


def format_named(name: str | None) -> Format | None:
    """Return the format with a name; None without one. Raise DdbenchError for an unknown name."""
    if name is not None and name not in FORMATS:
        raise DdbenchError(f"there is no format '{name}'", hint=did_you_mean(name, FORMATS))
    return None if name is None else FORMATS[name]


def format_of(file: Path) -> Format:
    """Return the format of a file's suffix. Raise DdbenchError if it has none."""
    for known in FORMATS.values():
        if file.suffix == known.suffix:
            return known
    suffixes = ", ".join(known.suffix for known in FORMATS.values())
    raise DdbenchError(f"the name of {file} does not tell its format", hint=f"use {suffixes}, or --format")
