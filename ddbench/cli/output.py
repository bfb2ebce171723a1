"""Output of verbs: results go to stdout, everything else to stderr."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from ddbench.errors import DdbenchError
from ddbench.text import one_line

stderr = Console(stderr=True)
_DAMAGE_SHOWN: Final = 5


def print_json(value: Any) -> None:
    """Print a JSON value to stdout."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str | None = None) -> None:
    """Print a table to stdout, 200 columns wide if stdout is not a terminal."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    narrow = console.width < 100
    table = Table(
        title=title, title_justify="left", box=None, pad_edge=False, collapse_padding=narrow, header_style="bold"
    )
    for header in headers:
        # No word of a header is cut on a narrow terminal.
        table.add_column(header, min_width=max(map(len, header.split()), default=0))
    for row in rows:
        table.add_row(*("" if cell is None else one_line(str(cell)) for cell in row))
    console.print(table, markup=False)


def fail(error: DdbenchError) -> None:
    """Print an error as one line to stderr."""
    stderr.print(one_line(f"error: {error}"), markup=False, highlight=False, soft_wrap=True)


def print_damage(reports: Iterable[str]) -> None:
    """Print a few messages about damaged files of the store to stderr, and the remedy."""
    messages = sorted(set(reports))
    for message in messages[:_DAMAGE_SHOWN]:
        stderr.print(one_line(f"damaged: {message}"), markup=False, highlight=False, soft_wrap=True)
    if messages:
        what = "1 file counts" if len(messages) == 1 else f"{len(messages)} files count"
        stderr.print(f"{what} as missing; `ddbench run` moves damaged files to quarantine and makes them again")
