"""Accuracy by the settings of a selector (Pool-Select-Refine, Fig. 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddbench.figures.lines import lines_by_ipc, points
from ddbench.figures.source import NothingToDrawError
from ddbench.figures.style import panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ddbench.figures.source import Source
    from ddbench.report.leaderboard import Entry


def signals(source: Source) -> Figure:
    """Draw a panel for each student and each group of rows that differ in the selector's parameters alone."""
    groups: dict[tuple[str, ...], list[Entry]] = {}
    for entry in source.entries:
        row = source.results.rows[entry.method]
        same = tuple(value for part, value in sorted(row.items()) if part != "selector")
        groups.setdefault((entry.student, selector_name(row["selector"]), *same), []).append(entry)
    found = {key: own for key, own in groups.items() if len({entry.method for entry in own}) > 1}
    if not found:
        raise NothingToDrawError("no rows with results differ in their selector's parameters alone")
    rows = max(len({entry.method for entry in own}) for own in found.values())
    figure, axes = panels(len(found), 1, 0.9 + 0.26 * rows)
    for one, ((student, selector, *_), own) in zip(axes, found.items(), strict=True):
        one.set_title(f"{selector}, {student}, {source.results.dataset}: mean ± standard deviation")
        if len({entry.ipc for entry in own}) > 1:
            lines_by_ipc(one, own, list(dict.fromkeys(entry.method for entry in own)), source.board.chance)
        else:
            points(one, own)
            one.set_xlabel(f"{one.get_xlabel()} at IPC {own[0].ipc}")
    return figure


def selector_name(label: str) -> str:
    """Return the name of a selector from its label in tables, ``NAME (PARAMETER=VALUE, …)``."""
    return label.partition(" (")[0]
