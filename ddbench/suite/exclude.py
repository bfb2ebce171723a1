"""The cells that a suite leaves out."""

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
            raise SuiteError("excludes everything", where=where, hint="say what to leave out")
        _check_names(wanted, names, source, index)
        matched = {i for i, has in enumerate(names) if all(has[key] & values for key, values in wanted.items())}
        if not matched:
            raise SuiteError("excludes no cell", where=where, hint="no cell has all of this at once")
        dropped |= matched
    kept = tuple(cell for i, cell in enumerate(cells) if i not in dropped)
    if not kept:
        raise SuiteError("excludes every cell", where=source.place(("exclude",)))
    return kept


def _check_names(wanted: dict[str, set[Any]], names: list[dict[str, set[Any]]], source: YamlSource, index: int) -> None:
    """Raise SuiteError unless each wanted name is that of some cell."""
    for key, values in wanted.items():
        known = set().union(*(has[key] for has in names))
        for value in values - known:
            hint = did_you_mean(str(value), map(str, known))
            raise SuiteError(f"no cell has the {key} '{value}'", where=source.place(("exclude", index, key)), hint=hint)


def _names(cell: Cell) -> dict[str, set[Any]]:
    """What a cell can be excluded by: components go by name and by label."""
    row = cell.row
    return {
        "method": {row.name},
        "generator": {row.generator.label, row.generator.component.info.name},
        "selector": {row.selector.label, row.selector.component.info.name},
        "refiner": {row.refiner.label, row.refiner.component.info.name},
        "student": {cell.student.label, cell.student.component.info.name},
        "ipc": {cell.ipc},
    }
