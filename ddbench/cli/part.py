"""The part of a suite that ``ddbench run`` runs, and the rows that it is compared with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ddbench.plan import Exports
    from ddbench.report.contrast import Pair
    from ddbench.report.results import Results
    from ddbench.suite import ResolvedSuite


def chosen_part(
    suite: ResolvedSuite, only: str | None, limit: int | None, root: Path, exports: Exports | None
) -> ResolvedSuite:
    """Return a suite with the cells that a run trains.

    Args:
        suite: the suite.
        only: an expression that chooses cells; None for all.
        limit: number of trainings without a result that are kept; None for all.
        root: the store's folder.
        exports: results outside the store.

    Raises:
        DdbenchError: the expression cannot be read, or chooses nothing.
    """
    from ddbench.plan import State, build_graph
    from ddbench.store import Store
    from ddbench.suite.part import part_of

    part = suite if only is None else part_of(suite, only)
    if limit is None:
        return part
    state = State(build_graph(part), Store(root), exports).resolve_all()
    missing = list(dict.fromkeys(key for _, key in state.graph.cells if key not in state.measured))[:limit]
    return replace(part, cells=tuple(cell for cell, key in state.graph.cells if key in missing))


def print_against(results: Results, part: ResolvedSuite, others: Sequence[str]) -> None:
    """Print the verdict on each row of a part against each of the others, at the IPCs and with the students it has."""
    from ddbench.cli.output import print_notes, print_table
    from ddbench.errors import DdbenchError
    from ddbench.report.contrast import Side, contrast
    from ddbench.report.standings import margin_of

    places = {(cell.row.name, cell.ipc, cell.student.label) for cell in part.cells}
    table, notes = [], []
    for row, other in product(part.row_names, others):
        if row in others:
            continue
        try:
            found = contrast(Side(results, row), Side(results, other), margin_of(results))
        except DdbenchError as error:  # one of them has no result
            notes.append(f"{row} against {other}: {error.message}")
            continue
        for pair in found.pairs:
            if (row, pair.ipc, pair.student) in places:
                table.append([row, other, *_texts(pair)])
                notes += [] if pair.verdict.test else [f"no test: {pair.verdict.reason}"]
    if table:
        print()
        print_table(["method", "against", "IPC", "student", "difference", "interval", "verdict", "to decide"], table)
    print_notes(dict.fromkeys(notes))


def _texts(pair: Pair) -> Iterator[str]:
    verdict = pair.verdict
    yield from (str(pair.ipc), pair.student)
    yield "" if verdict.difference is None else f"{verdict.difference:+.2f}"
    yield "" if verdict.interval is None else "[{:+.2f}, {:+.2f}]".format(*verdict.interval)
    yield verdict.word
    more = verdict.sets_needed
    yield "" if more is None else f"{more} more sets" + ("" if verdict.hours is None else f", {verdict.hours:.1f} h")
