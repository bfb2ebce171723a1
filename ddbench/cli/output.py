"""Output of verbs: results go to stdout, everything else to stderr."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table

from ddbench.errors import DdbenchError
from ddbench.text import counted, one_line, read_text

if TYPE_CHECKING:
    from ddbench.cli.json_types import ErrorOutput
    from ddbench.report.formats import Format
    from ddbench.report.leaderboard import Leaderboard
    from ddbench.report.results import Results

stderr = Console(stderr=True)
_DAMAGE_SHOWN: Final = 5
# Columns of output that is not a terminal.
_WIDTH: Final = 200
_PLACE: Final = re.compile(r"(.+):([1-9]\d*):([1-9]\d*)")


def print_json(value: Any) -> None:
    """Print a value to stdout as JSON. Dataclasses and models are objects."""
    from pydantic_core import to_jsonable_python

    print(json.dumps(value, indent=2, ensure_ascii=False, default=to_jsonable_python))


def print_table(headers: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str | None = None) -> None:
    """Print a table to stdout, 200 columns wide if stdout is not a terminal."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    narrow = console.width < 100
    table = Table(
        title=title, title_justify="left", box=None, pad_edge=False, collapse_padding=narrow, header_style="bold"
    )
    texts = [["" if cell is None else one_line(str(cell)) for cell in row] for row in rows]
    for number, header in enumerate(headers):
        # On a narrow terminal, no word of a header and no name in the first column is cut. Other long words are folded.
        least = max(map(len, header.split()), default=0)
        whole = number == 0 and all(" " not in text[0] and len(text[0]) <= console.width // 2 for text in texts)
        table.add_column(header, min_width=least, overflow="fold", no_wrap=whole)
    for text in texts:
        table.add_row(*text)
    console.print(table, markup=False)


def print_wrapped(line: str) -> None:
    """Print a line to stdout, wrapped at spaces: at the terminal's width, or at 200 columns without a terminal."""
    width = Console().width if Console().is_terminal else _WIDTH
    print(fill(one_line(line), width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False))


def print_board(results: Results, board: Leaderboard, known: Format | None, *, full: bool) -> None:
    """Print a leaderboard to stdout in a format: by default a table on a terminal, and Markdown elsewhere."""
    console = Console()
    if known is None and console.is_terminal:
        from ddbench.report.terminal import show_board

        show_board(board, console, full=full)
    else:
        from ddbench.report.formats import FORMATS

        sys.stdout.write((known or FORMATS["md"]).render(results, board))


def fail(error: DdbenchError) -> None:
    """Print an error as one line to stderr. On a terminal, the line of the suite that it names follows."""
    print_notes([f"error: {error}"])
    if stderr.is_terminal:
        print_notes(_excerpt(error.where or "", stderr.width))


def fail_as_json(error: DdbenchError) -> None:
    """Print an error to stdout, where a program that asked for JSON reads."""
    output: ErrorOutput = {"error": {"message": error.message, "where": error.where, "hint": error.hint}}
    print_json(output)


def _excerpt(where: str, width: int) -> list[str]:
    """Return the line at ``FILE:LINE:COLUMN``, cut to the width, and a line with a caret; nothing for other places."""
    found = _PLACE.fullmatch(where)
    if found is None:
        return []
    number, column = int(found[2]), int(found[3])
    try:
        line = read_text(Path(found[1])).splitlines()[number - 1]
    except (OSError, ValueError, IndexError):  # such as the name of a shipped suite
        return []
    before = one_line(line[: column - 1])
    margin = f"{number} | "
    room = max(width - len(margin) - 1, 20)
    cut = max(0, len(before) - room // 2) if len(line) > room else 0
    indent = " " * (len(margin) + cell_len(before[cut:]))
    return [margin + set_cell_size(one_line(line)[cut:], room).rstrip(), f"{indent}^"]


def print_notes(lines: Iterable[str]) -> None:
    """Print each line to stderr."""
    for line in lines:
        stderr.print(one_line(line), markup=False, highlight=False, soft_wrap=True)


def print_damage(reports: Iterable[str]) -> None:
    """Print a few messages about damaged files of the store to stderr, and the remedy."""
    messages = sorted(set(reports))
    print_notes(f"damaged: {message}" for message in messages[:_DAMAGE_SHOWN])
    if messages:
        what = f"{counted(len(messages), 'file')} {'counts' if len(messages) == 1 else 'count'}"
        stderr.print(f"{what} as missing; `ddbench run` moves damaged files to quarantine and makes them again")
