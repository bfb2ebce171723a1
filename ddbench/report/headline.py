"""The headline of a leaderboard: its accuracies by method, student and IPC, with marks and the reasons for gaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, product
from string import ascii_lowercase
from typing import Final, TypeAlias

from ddbench.report.leaderboard import Entry, Leaderboard
from ddbench.report.sections import NOTHING

# A student and an IPC.
Column: TypeAlias = tuple[str, int]

BEST: Final = "*"
TIED: Final = "="
_MEANINGS: Final = {BEST: "highest mean of its column and protocol", TIED: "not separable from it"}


@dataclass(frozen=True)
class Cell:
    """One cell of the headline.

    Attributes:
        value: mean ± standard deviation; a dash without a result; empty if the suite has no such cell.
        mark: whether the row is the best one of its protocol in its column, or tied with it; empty otherwise.
        notes: the letters of the notes that explain it.
    """

    value: str = ""
    mark: str = ""
    notes: str = ""


@dataclass(frozen=True)
class Line:
    """A row of the headline.

    Attributes:
        method: the name of the row.
        protocol: its protocol.
        cells: its cells, one for each column.
    """

    method: str
    protocol: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Headline:
    """The headline of a leaderboard.

    Attributes:
        columns: the columns. Students keep their order, and IPCs ascend.
        lines: the rows, in the order of the suite.
        legend: the marks in it and what they mean.
        remarks: reasons that hold for every cell with a value.
        notes: the other reasons, each with its letter.
    """

    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    legend: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]
    notes: tuple[tuple[str, str], ...]


def headline_of(board: Leaderboard) -> Headline:
    """Return the headline of a leaderboard."""
    students = list(dict.fromkeys(entry.student for entry in board.entries))
    columns = sorted({(e.student, e.ipc) for e in board.entries}, key=lambda c: (students.index(c[0]), c[1]))
    places = {(e.method, e.protocol, e.student, e.ipc): e for e in board.entries}
    best = _best(board.entries)
    reasons = {place: _reasons(entry) for place, entry in places.items()}
    of_all, notes = _split([reasons[place] for place, entry in places.items() if entry.last], reasons.values())
    lines = []
    for method, protocol in dict.fromkeys((e.method, e.protocol) for e in board.entries):
        found = [(method, protocol, *column) for column in columns]
        cells = [_cell(places[p], best, reasons[p], notes) if p in places else Cell() for p in found]
        lines.append(Line(method, protocol, tuple(cells)))
    marks = {cell.mark for line in lines for cell in line.cells}
    if any(not cell.value for line in lines for cell in line.cells):
        of_all.append("empty: not in the suite")
    legend = tuple((mark, meaning) for mark, meaning in _MEANINGS.items() if mark in marks)
    return Headline(tuple(columns), tuple(lines), legend, tuple(of_all), tuple((of, why) for why, of in notes.items()))


def _best(entries: Iterable[Entry]) -> dict[tuple[str, str, int], float]:
    """Return the highest mean of each protocol in each column with several rows."""
    means: dict[tuple[str, str, int], list[float]] = {}
    for entry in entries:
        if entry.last is not None:
            means.setdefault(_column(entry), []).append(entry.last.mean)
    return {column: max(found) for column, found in means.items() if len(found) > 1}


def _column(entry: Entry) -> tuple[str, str, int]:
    return entry.protocol, entry.student, entry.ipc


def _reasons(entry: Entry) -> tuple[str, ...]:
    """Return the reasons for what a cell lacks."""
    if entry.last is None:
        return ("no result yet",)
    if entry.last.n < entry.expected:
        return ("unfinished: the mean is over the finished trainings",)
    return ()


def _split(filled: list[tuple[str, ...]], cells: Iterable[tuple[str, ...]]) -> tuple[list[str], dict[str, str]]:
    """Return the notes that hold for every cell with a value, and the letters of the others."""
    each = list(dict.fromkeys(note for notes in cells for note in notes))
    of_all = [note for note in each if len(filled) > 1 and all(note in notes for notes in filled)]
    letters = _letters()
    return of_all, {note: next(letters) for note in each if note not in of_all}


def _letters() -> Iterator[str]:
    """Yield a, b, …, z, aa, ab and so on."""
    for size in count(1):
        yield from map("".join, product(ascii_lowercase, repeat=size))


def _cell(
    entry: Entry, best: dict[tuple[str, str, int], float], reasons: Iterable[str], notes: dict[str, str]
) -> Cell:
    letters = ",".join(notes[reason] for reason in reasons if reason in notes)
    if entry.last is None:
        return Cell(NOTHING, "", letters)
    partial = f" ({entry.last.n} of {entry.expected})" if entry.last.n < entry.expected else ""
    mark = BEST if best.get(_column(entry)) == entry.last.mean else ""
    return Cell(f"{entry.last}{partial}", mark, letters)

