"""What cannot fit is said before anything runs: images and students, pools and IPCs, rows and published numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from ddbench.errors import ComponentError, SuiteError
from ddbench.yaml_source import YamlSource

if TYPE_CHECKING:
    from ddbench.api import Dataset, Student
    from ddbench.suite.cells import Cell, Choice


def check_sizes(
    cells: Iterable[Cell],
    students: Sequence[Choice[Student]],
    dataset: Dataset,
    source: YamlSource,
    pools: Mapping[str, str],
) -> None:
    """Raise SuiteError where a student cannot take the images, or there are too few to choose from.

    Args:
        pools: where the pool of each row is said.
    """
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
        _check_pool(cell, dataset, source, pools[cell.row.name])


def _check_pool(cell: Cell, dataset: Dataset, source: YamlSource, said: str) -> None:
    """Raise SuiteError where the pool is smaller than the IPC, or the generator has too few images for either."""
    row, ipc = cell.row, cell.ipc
    where = source.place(("ipc", source.values["ipc"].index(ipc)))
    pool = row.pool.count(ipc)
    if pool is not None and pool < ipc:
        hint = "lower the IPC or enlarge the pool"
        raise SuiteError(f"IPC {ipc} is larger than the pool of '{row.name}', {pool}", where=where, hint=hint)
    available = row.generator.component.available(dataset)
    if not available:
        return
    has = f"generator '{row.generator.label}' has {min(available)}"
    if min(available) < ipc:
        raise SuiteError(f"'{row.name}' needs {ipc} images a class, and {has}", where=where, hint="lower the IPC")
    if pool is not None and min(available) < pool:
        hint = "lower `pool`, or leave it out to choose from all of them"
        message = f"the pool of '{row.name}' at IPC {ipc} is {pool} images a class, and {has}"
        raise SuiteError(message, where=said, hint=hint)


def check_generators(cells: Iterable[Cell], dataset: Dataset, source: YamlSource) -> None:
    """Raise SuiteError where a generator cannot make images of the data set's classes."""
    for cell in {(id(cell.row), cell.ipc): cell for cell in cells}.values():
        try:
            cell.row.generator.component.for_ipc(cell.ipc).check(dataset)
        except ComponentError as error:
            paths = [("generators", cell.row.generator.label), ("methods", cell.row.name), ("matrix", "generator")]
            where = source.place(next(path for path in paths if path in source.places))
            raise SuiteError(error.message, where=where, hint=error.hint) from None


def check_published(cells: Iterable[Cell], dataset: str, source: YamlSource) -> None:
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
