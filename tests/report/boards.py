"""Leaderboards with statistics, without stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ddbench.report.distilled import SetValues
from ddbench.report.leaderboard import Entry, Leaderboard
from ddbench.report.standings import Standing, Statistics
from ddbench.stats.against import compare_with
from ddbench.stats.ranks import ranks_of
from ddbench.stats.samples import Sample, spread_of
from ddbench.stats.summary import summarise
from tests.report.test_markdown import BOARD

PARTS = BOARD.rows["Random"]
# Means of sets: A and B cannot be told apart, C is far below, and D has one set.
ROWS = {"A": (40.0, 41.0, 42.0), "B": (39.0, 40.0, 41.5), "C": (20.0, 21.0, 22.0), "D": (45.0,)}


def board(
    rows: Mapping[str, Sequence[float]] = ROWS,
    *,
    baseline: str | None = None,
    columns: Sequence[tuple[str, int]] = (("convnet3", 10),),
    protocols: Mapping[str, str] | None = None,
) -> Leaderboard:
    """Return a board whose rows have these means of sets in each column.

    Args:
        rows: the means of the sets of each row.
        baseline: the row that the others are compared with.
        columns: the columns.
        protocols: the protocols of rows other than ``p@1``.
    """
    entries, standings = [], []
    samples = {name: Sample(tuple((value,) for value in values)) for name, values in rows.items()}
    ranks = ranks_of(samples)
    verdicts = compare_with(baseline, samples, {}, 1.0) if baseline else {}
    for student, ipc in columns:
        for name, values in rows.items():
            place = (name, ipc, student, (protocols or {}).get(name, "p@1"))
            entries.append(Entry(*place, len(values), summarise(values), None, 1))
            sets = tuple(SetValues(((n, n),), (value,), None, None) for n, value in enumerate(values))
            standing = Standing(*place, sets, spread_of(samples[name]), ranks.get(name), verdicts.get(name), None)
            standings.append(standing)
    statistics = Statistics(baseline, 1.0, tuple(standings))
    parts = {name: {**PARTS, "protocol": (protocols or {}).get(name, "p@1")} for name in rows}
    return replace(BOARD, rows=parts, entries=tuple(entries), statistics=statistics)
