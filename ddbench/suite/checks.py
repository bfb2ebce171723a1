"""What cannot fit is said before anything runs: images and students, pools and IPCs, rows and published numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ddbench.errors import ComponentError, SuiteError
from ddbench.suite.source import Source

if TYPE_CHECKING:
    from ddbench.api import Dataset, Student
    from ddbench.suite.cells import Cell, Choice


def check_sizes(cells: Iterable[Cell], students: Sequence[Choice[Student]], dataset: Dataset, source: Source) -> None:
    """Raise SuiteError where a student cannot take the images, or a pool holds fewer images than are to be chosen."""
    seen: set[tuple[int, ...]] = set()
    for cell in cells:
        key = (id(cell.row), cell.ipc, id(cell.student))
        if key in seen:
            continue
        seen.add(key)
        try:
            cell.student.component.check_size(
                cell.row.protocol.input_size(dataset.image_size, cell.student.component.info.name)
            )
        except ComponentError as error:
            where = source.place(("students", students.index(cell.student)))
            raise SuiteError(error.message, where=where, hint=error.hint) from None
        _check_pool(cell, dataset, source)


def _check_pool(cell: Cell, dataset: Dataset, source: Source) -> None:
    row, hint = cell.row, "lower the IPC or enlarge the pool"
    where = source.place(("ipc", source.values["ipc"].index(cell.ipc)))
    pool = row.pool.count(cell.ipc)
    if pool is not None and pool < cell.ipc:
        raise SuiteError(f"IPC {cell.ipc} is larger than the pool of '{row.name}', {pool}", where=where, hint=hint)
    available = row.generator.component.available(dataset)
    needed = max(cell.ipc, pool or 0)
    if available and min(available) < needed:
        raise SuiteError(
            f"'{row.name}' needs {needed} images a class, and generator '{row.generator.label}' has {min(available)}",
            where=where,
            hint=hint,
        )


def check_published(cells: Iterable[Cell], dataset: str, source: Source) -> None:
    """Raise SuiteError where a row is to be compared and no cell of it has a number to be compared with."""
    places: dict[str, tuple[Cell, set[tuple[str, str, int]]]] = {}
    for cell in cells:
        if cell.row.published:
            places.setdefault(cell.row.name, (cell, set()))[1].add((dataset, cell.student.label, cell.ipc))
    for method, (cell, own) in places.items():
        known = {(number.dataset, number.student, number.ipc) for number in cell.row.published}
        if own.isdisjoint(known):
            name, printed = cell.row.published[0].method, "; ".join(f"{d}, {s}, IPC {i}" for d, s, i in sorted(known))
            raise SuiteError(
                f"nothing published as '{name}' is for a data set, student and IPC of this row",
                where=source.place(("methods", method, "published")),
                hint=f"there is: {printed}",
            )
