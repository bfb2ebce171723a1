"""Check a suite before anything runs: sizes, pools, generators and classes, published numbers, the baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ddbench.errors import ComponentError, SuiteError, did_you_mean
from ddbench.limits import IMAGES_PER_CLASS
from ddbench.suite.cells import twin_of
from ddbench.text import counted
from ddbench.yaml_source import YamlSource

if TYPE_CHECKING:
    from ddbench.api import Dataset, Student
    from ddbench.suite.cells import Cell, Choice, Row


def check_sizes(
    cells: Iterable[Cell],
    students: Sequence[Choice[Student]],
    dataset: Dataset,
    source: YamlSource,
    pools: Mapping[str, str],
) -> None:
    """Raise SuiteError if a student cannot take the images, or if a pool has too few images.

    Args:
        cells: the cells.
        students: the students in the order of the suite.
        dataset: the data set.
        source: the suite file.
        pools: the place of each row's pool.
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


def _check_pool(cell: Cell, dataset: Dataset, source: YamlSource, pool_place: str) -> None:
    """Raise SuiteError if the pool is smaller than the IPC, or if the generator has too few images for them."""
    row, ipc = cell.row, cell.ipc
    where = source.place(("ipc", source.values["ipc"].index(ipc)))
    pool = row.pool.count(ipc)
    if pool is not None and pool > IMAGES_PER_CLASS:
        has = f"the pool of '{row.name}' at IPC {ipc} has {pool:,} images per class"
        message = f"{has}; {IMAGES_PER_CLASS:,} are allowed"
        raise SuiteError(message, where=pool_place, hint="lower `pool`")
    if pool is not None and pool < ipc and cell.sized:
        hint = "lower the IPC or enlarge the pool"
        message = f"IPC {ipc} is larger than the pool of '{row.name}', which has {counted(pool, 'image')} per class"
        raise SuiteError(message, where=where, hint=hint)
    available = row.generator.component.for_ipc(ipc).available(dataset)
    if not available:
        return
    has = f"generator '{row.generator.label}' has {min(available)}"
    if min(available) < ipc and cell.sized:
        raise SuiteError(
            f"'{row.name}' needs {counted(ipc, 'image')} per class, but {has}", where=where, hint="lower the IPC"
        )
    if pool is not None and min(available) < pool:
        hint = "lower `pool`, or remove it to choose from all images"
        message = f"the pool of '{row.name}' at IPC {ipc} needs {counted(pool, 'image')} per class, but {has}"
        raise SuiteError(message, where=pool_place, hint=hint)


def check_generators(cells: Iterable[Cell], dataset: Dataset, source: YamlSource) -> None:
    """Raise SuiteError if a generator cannot make images of the data set's classes."""
    for cell in {(id(cell.row), cell.ipc): cell for cell in cells}.values():
        row = cell.row
        for generator in (row.generator,) if row.refiner.component.identity else (row.generator, row.lender):
            try:
                generator.component.for_ipc(cell.ipc).check(dataset)
                _check_latents(row, dataset)
            except ComponentError as error:
                paths = [("generators", generator.label), ("methods", row.name), ("matrix", "generator")]
                where = source.place(next((path for path in paths if path in source.places), ("methods",)))
                raise SuiteError(error.message, where=where, hint=error.hint) from None


def _check_latents(row: Row, dataset: Dataset) -> None:
    """Raise ComponentError if latents that an import brings have another shape than the lender's, if both are known."""
    prior = row.generator.component.borrowed_prior
    if prior is None or prior.encode or row.refiner.component.identity:
        return
    own, wanted = (choice.component.latent_shape(dataset) for choice in (row.generator, row.lender))
    if own is not None and wanted is not None and own != wanted:
        shapes = f"shape {list(own)}, and the prior of '{row.lender.label}' takes {list(wanted)}"
        hint = "store latents of that generator, or choose another `prior`"
        raise ComponentError(f"the latents of '{row.generator.label}' have {shapes}", hint=hint)


def check_published(cells: Iterable[Cell], dataset: Choice[Dataset], source: YamlSource) -> None:
    """Raise SuiteError if a row names published numbers, but none of its cells matches one, or one is a fraction."""
    places: dict[str, tuple[Cell, set[tuple[str, str, int]]]] = {}
    for cell in cells:
        if cell.row.published:
            places.setdefault(cell.row.name, (cell, set()))[1].add((dataset.label, cell.student.label, cell.ipc))
    for method, (cell, own) in places.items():
        theirs = {(number.dataset, number.student, number.ipc) for number in cell.row.published}
        if own.isdisjoint(theirs):
            name, listed = cell.row.published[0].method, "; ".join(f"{d}, {s}, IPC {i}" for d, s, i in sorted(theirs))
            raise SuiteError(
                f"'{name}' has no published number for the data set, students and IPCs of this row",
                where=source.place(("methods", method, "published")),
                hint=f"published: {listed}",
            )
        _refuse_fractions(cell, dataset, source.place(("methods", method, "published")))


def _refuse_fractions(cell: Cell, dataset: Choice[Dataset], where: str) -> None:
    """Raise SuiteError if a published mean is at most 1 % and below chance, as a fraction is."""
    chance = 100 / len(dataset.component.classes)
    for number in cell.row.published:
        if number.dataset == dataset.label and number.mean <= 1 and number.mean < chance:
            raise SuiteError(
                f"the published mean {number.mean} % is below chance ({chance:g} %); it seems to be a fraction",
                where=where,
                hint="write accuracies in percent",
            )


def check_baseline(baseline: str | None, twins: Mapping[str, Any], rows: Iterable[str], source: YamlSource) -> None:
    """Raise SuiteError if the baseline is not a row with cells, or is a twin of one.

    Args:
        baseline: the name of the row that others are compared with.
        twins: the changes of each twin.
        rows: the names of the rows with cells.
        source: the suite file.
    """
    own = [row for row in rows if not any(row.endswith(twin_of("", twin)) for twin in twins)]
    if baseline is not None and baseline not in own:
        where, hint = source.place(("baseline",)), did_you_mean(baseline, own)
        raise SuiteError(f"no row with cells is called '{baseline}'", where=where, hint=hint)
