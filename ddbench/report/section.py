"""A part of a leaderboard's page: a table of text, and what explains it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ddbench.report.headline import NOTHING
from ddbench.text import one_line


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes:
        title: its title.
        headers: the headers of its table.
        rows: the rows of its table, as plain text.
        text: what explains the table, in Markdown.
        items: lines of a list below the table, in Markdown.
    """

    title: str
    headers: list[str]
    rows: list[list[str]]
    text: str = ""
    items: tuple[str, ...] = ()

    def without(self, header: str) -> Section:
        """Return the section without a column."""
        n = self.headers.index(header)
        rows = [[*row[:n], *row[n + 1 :]] for row in self.rows]
        return replace(self, headers=[*self.headers[:n], *self.headers[n + 1 :]], rows=rows)


def section(
    title: str, headers: list[str], rows: Iterable[Sequence[Any]], text: str = "", items: tuple[str, ...] = ()
) -> Section:
    """Return a section with its cells as plain text."""
    return Section(title, headers, [[one_line(str(cell)) for cell in row] for row in rows], text, items)


def shown_interval(interval: tuple[float, float] | None) -> str:
    """Return an interval with two decimals: with one, a verdict could look wrong at its edge."""
    return "[{:.2f}, {:.2f}]".format(*interval) if interval else NOTHING
