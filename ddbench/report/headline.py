"""The headline of a leaderboard: its accuracies by method, student and IPC, with marks and the reasons for gaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count, product
from string import ascii_lowercase
from typing import Final, TypeAlias

from ddbench.report.leaderboard import Entry, Leaderboard
from ddbench.report.standings import Standing
from ddbench.stats.ranks import Rank
from ddbench.stats.summary import Summary
from ddbench.stats.verdicts import Word

NOTHING: Final = "–"
# A student and an IPC.
Column: TypeAlias = tuple[str, int]
# A method, an IPC, a student and a protocol.
Place: TypeAlias = tuple[str, int, str, str]

BEST: Final = "*"
TIED: Final = "="
VERDICTS: Final[dict[Word, str]] = {"better": "+", "worse": "-", "equivalent": "~", "undecided": "?"}
_MARKS: Final = {
    BEST: "highest mean with a rank, of its column and protocol",
    TIED: "no test separates it from the highest",
}


@dataclass(frozen=True)
class Cell:
    """One cell of the headline.

    Attributes:
        value: mean ± standard deviation; a dash without a result; empty if the suite has no such cell.
        mark: whether the row is the best one of its protocol in its column, or tied with it; empty otherwise.
        verdict: the mark of its verdict against the baseline; empty without one.
        notes: the letters of the notes that explain it.
    """

    value: str = ""
    mark: str = ""
    verdict: str = ""
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
    standings = {_place(standing): standing for standing in board.statistics.standings}
    places = {_place(entry): entry for entry in board.entries}
    marks = _marks(standings.values())
    reasons = {place: _reasons(entry, standings.get(place)) for place, entry in places.items()}
    of_all, notes = _split([reasons[place] for place, entry in places.items() if entry.last], reasons.values())
    lines = []
    for method, protocol in dict.fromkeys((e.method, e.protocol) for e in board.entries):
        cells = []
        for student, ipc in columns:
            place = (method, ipc, student, protocol)
            letters = ",".join(notes[reason] for reason in reasons.get(place, ()) if reason in notes)
            cells.append(_cell(places.get(place), standings.get(place), marks.get(place, ""), letters))
        lines.append(Line(method, protocol, tuple(cells)))
    if any(not cell.value for line in lines for cell in line.cells):
        of_all.append("empty: not in the suite")
    legend = _legend(board, {mark for line in lines for cell in line.cells for mark in (cell.mark, cell.verdict)})
    return Headline(tuple(columns), tuple(lines), legend, tuple(of_all), tuple((of, why) for why, of in notes.items()))


def _place(one: Entry | Standing) -> Place:
    return one.method, one.ipc, one.student, one.protocol


def _marks(standings: Iterable[Standing]) -> dict[Place, str]:
    """Return the marks of the best ranked row of each protocol in each column, and of those tied with it.

    A row is tied with it if no row is surely better that is not surely better than both.
    """
    groups: dict[tuple[str, str, int], list[tuple[float, Rank, Place]]] = {}
    for one in standings:
        if one.spread is not None and one.rank is not None:
            group = groups.setdefault((one.protocol, one.student, one.ipc), [])
            group.append((one.spread.mean, one.rank, _place(one)))
    marks: dict[Place, str] = {}
    for group in groups.values():
        mean, rank, _ = max(group, key=lambda row: row[0])
        if len(group) > 1:
            marks |= {at: BEST if own == mean else TIED for own, of, at in group if of.low <= rank.low}
    return marks


def value_of(entry: Entry, standing: Standing | None) -> str:
    """Return mean ± standard deviation: of the means of sets, or of the trainings of a row with one set."""
    spread = standing.spread if standing else None
    if spread is None or spread.sd_sets is None:
        return str(entry.last)
    return str(Summary(spread.sets, spread.mean, spread.sd_sets))


def _reasons(entry: Entry, standing: Standing | None) -> list[str]:
    """Return the reasons for what a cell lacks."""
    if entry.last is None:
        return ["no result yet"]
    reasons = ["unfinished, so over the finished trainings only"] if entry.last.n < entry.expected else []
    if standing is not None and standing.spread is not None and standing.spread.note:
        spread = standing.spread
        lacks = [f"no {what}" for what, has in (("interval", spread.interval), ("rank", standing.rank)) if not has]
        over = ["± is over trainings"] if entry.last.std is not None else []
        reasons.append("; ".join([spread.note, *filter(None, [" and ".join(lacks)]), *over]))
    if standing is not None and standing.verdict is not None and standing.against_protocol is not None:
        reasons.append(f"{standing.verdict.against} has another protocol: {standing.against_protocol}")
    if standing is not None and standing.at_chance is False:
        reasons.append("its labels are shuffled, and it is not at chance")
    return reasons


def _split(filled: list[list[str]], cells: Iterable[list[str]]) -> tuple[list[str], dict[str, str]]:
    """Return the notes that hold for every cell with a value, and the letters of the others."""
    each = list(dict.fromkeys(note for notes in cells for note in notes))
    of_all = [note for note in each if len(filled) > 1 and all(note in notes for notes in filled)]
    letters = _letters()
    return of_all, {note: next(letters) for note in each if note not in of_all}


def _letters() -> Iterator[str]:
    """Yield a, b, …, z, aa, ab and so on."""
    for size in count(1):
        yield from map("".join, product(ascii_lowercase, repeat=size))


def _cell(entry: Entry | None, standing: Standing | None, mark: str, letters: str) -> Cell:
    if entry is None:
        return Cell()
    if entry.last is None:
        return Cell(NOTHING, notes=letters)
    partial = f" ({entry.last.n} of {entry.expected})" if entry.last.n < entry.expected else ""
    verdict = VERDICTS[standing.verdict.word] if standing and standing.verdict else ""
    return Cell(f"{value_of(entry, standing)}{partial}", mark, verdict, letters)


def _legend(board: Leaderboard, marks: set[str]) -> tuple[tuple[str, str], ...]:
    """Return the marks that are used, and what they mean."""
    against, margin = board.statistics.baseline, f"within ±{board.statistics.margin:g} points of"
    words = {mark: f"{word} than" for word, mark in VERDICTS.items()}
    words |= {VERDICTS["equivalent"]: margin, VERDICTS["undecided"]: "undecided; the results cannot tell it from"}
    meanings = _MARKS | {mark: f"{word} {against}" for mark, word in words.items()}
    return tuple((mark, meaning) for mark, meaning in meanings.items() if mark in marks)
