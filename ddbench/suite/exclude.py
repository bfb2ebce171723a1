"""Remove the cells that a suite excludes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ddbench.errors import SuiteError, did_you_mean
from ddbench.yaml_source import YamlSource

if TYPE_CHECKING:
    from ddbench.suite.cells import Cell
    from ddbench.suite.model import Exclude


def excluded(cells: tuple[Cell, ...], entries: Sequence[Exclude], source: YamlSource) -> tuple[Cell, ...]:
    """Return the cells that no ``exclude`` entry matches. Raise SuiteError for an entry that matches nothing."""
    if not entries:
        return cells
    names = [_names(cell) for cell in cells]
    dropped: set[int] = set()
    for index, entry in enumerate(entries):
        wanted = {key: set(values) for key, values in entry.model_dump(exclude_none=True).items()}
        where = source.place(("exclude", index))
        if not wanted:
            raise SuiteError("an entry without keys excludes every cell", where=where, hint="name what to exclude")
        _check_names(wanted, names, source, index)
        matched = {i for i, has in enumerate(names) if all(has[key] & values for key, values in wanted.items())}
        if not matched:
            raise SuiteError("the entry excludes no cell", where=where, hint="no cell matches all its keys")
        dropped |= matched
    kept = tuple(cell for i, cell in enumerate(cells) if i not in dropped)
    if not kept:
        raise SuiteError("the entries exclude every cell", where=source.place(("exclude",)), hint="remove one")
    return kept


def _check_names(wanted: dict[str, set[Any]], names: list[dict[str, set[Any]]], source: YamlSource, index: int) -> None:
    """Raise SuiteError for a name that no cell has."""
    for key, values in wanted.items():
        present = set().union(*(has[key] for has in names))
        for value in values - present:
            hint = did_you_mean(str(value), map(str, present))
            raise SuiteError(f"no cell has the {key} '{value}'", where=source.place(("exclude", index, key)), hint=hint)


def _names(cell: Cell) -> dict[str, set[Any]]:
    """Return the names by which a cell can be excluded. Components have a name and a label, twins their row's name."""
    row = cell.row
    return {
        "method": {row.name, row.original or row.name},
        "generator": {row.generator.label, row.generator.component.info.name},
        "selector": {row.selector.label, row.selector.component.info.name},
        "refiner": {row.refiner.label, row.refiner.component.info.name},
        "student": {cell.student.label, cell.student.component.info.name},
        "ipc": {cell.ipc},
    }
