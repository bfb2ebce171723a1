"""The headline of a page: a table whose cells are shaded by their accuracy. It needs no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ddbench.report.headline import BEST, NOTHING, TIED, VERDICTS, Headline, headline_of
from ddbench.report.leaderboard import Leaderboard
from ddbench.report.standings import Standing

# Classes of the styles, which are faster than a style for each cell.
SHADES: Final = 20
_CLASSES: Final = {BEST: "best", TIED: "tied"}
_SIGNS: Final = {VERDICTS["better"]: "▲", VERDICTS["worse"]: "▼", VERDICTS["equivalent"]: "≈"}
_NAMES: Final = {BEST: "bold", TIED: "underlined", VERDICTS["undecided"]: "no sign, except in the row of the baseline"}


@dataclass(frozen=True)
class HeatCell:
    """A cell with a number, or with a dash.

    Attributes:
        entry: the position of the entry.
        shade: the place of the mean between the lowest and the highest of its column, from 0 to ``SHADES``.
        mark: the class of the best number or of one tied with it; empty otherwise.
        mean: the mean accuracy.
        sign: the sign of the verdict; empty without one.
        interval: the interval of the mean, or why there is none.
        notes: the letters of the notes that explain it.
    """

    entry: int
    shade: int
    mark: str
    mean: str
    sign: str
    interval: str
    notes: str


@dataclass(frozen=True)
class Heat:
    """The table.

    Attributes:
        head: the headline that it shows.
        rows: the cells of each of its lines; None if the suite has no such cell.
        legend: its signs and what they mean.
    """

    head: Headline
    rows: list[list[HeatCell | None]]
    legend: list[tuple[str, str]]


def heat_of(board: Leaderboard) -> Heat:
    """Return the headline of a leaderboard with shades."""
    head, standings = headline_of(board), board.statistics.standings
    positions = {(one.method, one.protocol, one.student, one.ipc): i for i, one in enumerate(board.entries)}
    shades = _shades(standings)
    rows: list[list[HeatCell | None]] = []
    for line in head.lines:
        places = [positions.get((line.method, line.protocol, *column)) for column in head.columns]
        rows.append(
            [
                None
                if place is None
                else HeatCell(
                    entry=place,
                    shade=shades[place],
                    mark=_CLASSES.get(cell.mark, ""),
                    mean=_mean(standings[place]),
                    sign=_SIGNS.get(cell.verdict, ""),
                    interval=_interval(standings[place], board.entries[place].expected),
                    notes=cell.notes,
                )
                for place, cell in zip(places, line.cells, strict=True)
            ]
        )
    return Heat(head, rows, [(_NAMES.get(mark, _SIGNS.get(mark, mark)), what) for mark, what in head.legend])


def _mean(standing: Standing) -> str:
    return f"{standing.spread.mean:.1f}" if standing.spread else NOTHING


def _interval(standing: Standing, expected: int) -> str:
    spread = standing.spread
    if spread is None:
        return f"0 of {expected}"
    shown = "[{:.1f}, {:.1f}]".format(*spread.interval) if spread.interval else "no interval"
    return shown if spread.trainings == expected else f"{shown}, {spread.trainings} of {expected}"


def _shades(standings: Sequence[Standing]) -> list[int]:
    columns: dict[tuple[str, int], list[float]] = {}
    for one in standings:
        if one.spread:
            columns.setdefault((one.student, one.ipc), []).append(one.spread.mean)

    def shade(one: Standing) -> int:
        if one.spread is None:
            return 0
        low, high = min(columns[one.student, one.ipc]), max(columns[one.student, one.ipc])
        return round(SHADES * (one.spread.mean - low) / (high - low)) if high > low else 0

    return [shade(one) for one in standings]
