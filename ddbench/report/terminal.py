"""Show a leaderboard on a terminal: the headline table, then on request the rest of its page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ddbench.report.headline import BEST, NOTHING, TIED, Cell, Headline, headline_of
from ddbench.report.leaderboard import Leaderboard
from ddbench.report.section import Section
from ddbench.report.sections import preamble, sections_of
from ddbench.text import one_line

_GAP = 2  # spaces between columns
_STYLES = {BEST: "bold green", TIED: "green"}


def show_board(board: Leaderboard, console: Console, *, full: bool = False) -> None:
    """Print a leaderboard within the width of a console.

    Args:
        board: the leaderboard.
        console: the console.
        full: True for the whole page.
    """
    head = headline_of(board)
    _say(console, _title(board, head))
    names = [line.method for line in head.lines]
    cells = [_column(head, index) for index in range(len(head.columns))]
    widths = [
        max(map(cell_len, (*column, *title.split("\n")))) for column, title in zip(cells, _titles(head), strict=True)
    ]
    method, parts = _parts(max(map(cell_len, [*names, "method"])), widths, console.width)
    for part in parts:
        _say(console, "", _headline(board, head, cells, part, method))
    _say(console, "", *_legend(head))
    if full:
        _show_page(board, console)
    else:
        _say(console, "", Text("--full adds intervals, verdicts, components and origins", style="dim"))


def _say(console: Console, *parts: Text | Table | Padding | str) -> None:
    for part in parts:
        console.print(part, markup=False, highlight=False)


def _title(board: Leaderboard, head: Headline) -> Text:
    """Return the suite, its data and what the numbers are."""
    students, protocols = list(dict.fromkeys(student for student, _ in head.columns)), board.protocols
    common = [names[0] for names in (students, protocols) if len(names) == 1]
    varied = [f"{count} {axis} seeds" for axis, count in board.seeds.items() if count > 1] or ["one seed of each axis"]
    title = Text(one_line(board.suite), style="bold")
    title.append(one_line(f" · {' · '.join([board.dataset, *common])}"), style="not bold")
    title.append(f"\ntop-1 accuracy in % after the last epoch, mean ± sd over {', '.join(varied)}", style="not bold")
    return title


def _titles(head: Headline) -> list[str]:
    """Return the headers of the columns; the student is left out if there is only one."""
    several = len({student for student, _ in head.columns}) > 1
    return [f"{one_line(student)}\nIPC {ipc}" if several else f"IPC {ipc}" for student, ipc in head.columns]


def _column(head: Headline, index: int) -> list[str]:
    """Return the texts of a column: numbers aligned at their points, then marks and notes."""
    cells = [line.cells[index] for line in head.lines]
    before = max(cell_len(cell.value.partition(".")[0]) for cell in cells)
    values = [cell.value.rjust(len(cell.value) + before - cell_len(cell.value.partition(".")[0])) for cell in cells]
    width, marks = max(map(cell_len, values)), [_marks(cell) for cell in cells]
    marked = max(map(len, marks)) + 1
    return [
        f"{value.ljust(width)} {mark.ljust(marked)}{cell.notes}".rstrip()
        for value, mark, cell in zip(values, marks, cells, strict=True)
    ]


def _marks(cell: Cell) -> str:
    return f"{cell.mark or ' '}{cell.verdict}".rstrip()


def _parts(method: int, widths: Sequence[int], width: int) -> tuple[int, list[list[int]]]:
    """Return the width of the names and the columns of each part: as few parts as fit, then names as long as fit."""
    least = min(method, max(16, width // 4))
    count = len(_split(widths, width - least))
    for wide in range(method, least, -1):
        if len(parts := _split(widths, width - wide)) == count:
            return wide, parts
    return least, _split(widths, width - least)


def _split(widths: Sequence[int], room: int) -> list[list[int]]:
    """Split columns into parts that fit into ``room``; a part has at least one column."""
    parts: list[list[int]] = [[]]
    left = room
    for index, width in enumerate(widths):
        if parts[-1] and width + _GAP > left:
            parts.append([])
            left = room
        parts[-1].append(index)
        left -= width + _GAP
    return parts


def _headline(board: Leaderboard, head: Headline, cells: list[list[str]], part: list[int], method: int) -> Table:
    """Return the table of some columns. Rows of one protocol stand together if there are several protocols."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("method", width=method, overflow="fold")
    for index in part:
        table.add_column(_titles(head)[index], no_wrap=True)
    present = [row for row in enumerate(head.lines) if any(row[1].cells[index].value for index in part)]
    rows = sorted(present, key=lambda row: board.protocols.index(row[1].protocol))
    for protocol, lines in groupby(rows, key=lambda row: row[1].protocol):
        if len(board.protocols) > 1:
            table.add_section()
            table.add_row(Text(one_line(protocol), style="italic cyan"))
        for number, line in lines:
            shown = [Text(cells[index][number], style=_STYLES.get(line.cells[index].mark, "")) for index in part]
            table.add_row(Text(one_line(line.method)), *shown)
    if board.chance is not None:
        table.add_section()
        table.add_row(Text("Chance", style="dim"), *[Text(f"{board.chance:.1f}", style="dim")] * len(part))
    return table


def _legend(head: Headline) -> Iterator[Padding]:
    """Yield a line for each mark, each remark and each note."""
    for mark, meaning in (*head.legend, *head.notes):
        yield Padding(Text(one_line(f"{mark}  {meaning}")), (0, 0, 0, 1), expand=False)
    for remark in head.remarks:
        yield Padding(Text(one_line(remark)), (0, 0, 0, 1), expand=False)


def _show_page(board: Leaderboard, console: Console) -> None:
    """Print what a page has after its headline."""
    from rich.markdown import Markdown

    console.print(Markdown("\n".join(f"- {line}" for line in preamble(board))))
    for section in sections_of(board):
        _say(console, "", Text(section.title, style="bold underline"))
        if section.text:
            console.print(Markdown(section.text))
        _say(console, "", *_table(section, console.width))
        if section.items:
            console.print(Markdown("\n".join(f"- {item}" for item in section.items)))


def _table(section: Section, width: int) -> Iterator[Table | Text | Padding]:
    """Yield a section's table. One line has the columns of one value. Rows that are too wide become paragraphs."""
    columns = list(zip(section.headers, zip(*section.rows, strict=True), strict=True))
    equal = [n for n, (_, values) in enumerate(columns) if len(set(values)) == 1 and len(values) > 1]
    shown = [n for n in range(len(columns)) if n not in equal]
    if told := [f"{section.headers[n]} {section.rows[0][n]}" for n in equal if section.rows[0][n] != NOTHING]:
        yield Text(f"All rows: {', '.join(told)}.")
    widths = [max(map(cell_len, [columns[n][0], *columns[n][1]])) + _GAP for n in shown]
    if sum(widths) <= width:
        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
        for n in shown:
            table.add_column(columns[n][0], no_wrap=True)
        for row in section.rows:
            table.add_row(*(Text(row[n]) for n in shown))
        yield table
        return
    for row in section.rows:
        name, *others = shown
        yield Text(row[name], style="bold")
        yield Padding(
            Text(" · ".join(f"{columns[n][0]} {row[n]}" for n in others if row[n] != NOTHING)),
            (0, 0, 0, 2),
            expand=False,
        )
