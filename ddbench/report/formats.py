"""The formats of reports. A format is one function that returns a file as text."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ddbench.report import csv_table, latex, markdown, page
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


def _json(results: Results, board: Leaderboard) -> str:
    return json.dumps(board.to_json(), indent=2, ensure_ascii=False) + "\n"


# By name.
FORMATS: Final = {
    "md": Format(".md", markdown.render, is_page=True),
    "html": Format(".html", page.to_html, is_page=True),
    "latex": Format(".tex", latex.render),
    "csv": Format(".csv", csv_table.render),
    "json": Format(".json", _json),
}
