"""Accuracy against images per class (Pool-Select-Refine, Fig. 1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddbench.figures.lines import lines_by_ipc
from ddbench.figures.source import NothingToDrawError
from ddbench.figures.style import panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ddbench.figures.source import Source


def accuracy(source: Source) -> Figure:
    """Draw mean accuracy ± standard deviation against the IPC, a panel for each student."""
    entries = source.entries
    sizes = {student: {e.ipc for e in entries if e.student == student} for student in (e.student for e in entries)}
    students = [student for student, own in sizes.items() if len(own) > 1]
    if not students:
        raise NothingToDrawError("no student has results at two IPCs")
    figure, axes = panels(len(students), 1, 2.6, sharex=True)
    order = list(source.results.rows)
    for one, student in zip(axes, students, strict=True):
        own = [entry for entry in entries if entry.student == student]
        one.set_title(f"{source.results.dataset}, {student}: mean ± standard deviation after the last epoch")
        lines_by_ipc(one, own, order, source.board.chance)
    return figure
