"""Resolve a suite's model to configured components and cells. Errors name their place in the file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, cast

from ddbench.api import (
    Component,
    Dataset,
    EvaluationSettings,
    Evaluator,
    Refiner,
    Scorer,
    Selector,
    Student,
)
from ddbench.errors import SuiteError
from ddbench.limits import CELLS, ROWS
from ddbench.registry import Catalogue, catalogue
from ddbench.registry.files import ComponentFile
from ddbench.suite.build import Builder
from ddbench.suite.cells import Cell, Choice, PoolSize, Row, twin_of
from ddbench.suite.check_scorers import check_assessor, check_fields, check_labels, check_teachers
from ddbench.suite.checks import check_baseline, check_generators, check_published, check_sizes
from ddbench.suite.component_files import with_components
from ddbench.suite.exclude import excluded
from ddbench.suite.model import Matrix, Method, SuiteModel
from ddbench.suite.published import Published, published_as, read_published
from ddbench.suite.read import read_suite
from ddbench.suite.references import check_references
from ddbench.suite.shipped import find_suite
from ddbench.suite.splits import check_splits
from ddbench.yaml_source import KeyPath, YamlSource

_Parts = dict[str, KeyPath]
_METHOD_PARTS: _Parts = {"generator": ("generator",), "selector": ("selector",), "refiner": ("refiner",)}


@dataclass(frozen=True, eq=False)
class ResolvedSuite:
    """A suite with every name resolved and every parameter checked.

    Attributes:
        name: the suite's name.
        file: the name of the file in messages.
        dataset: the data set.
        evaluator: the evaluator.
        evaluation: the evaluation settings.
        scorers: the scorers by role.
        cells: the cells.
        assessor: the role of the scorer that assesses distilled sets; None if they are not assessed.
        time_limit: the longest time of one node in seconds; None if there is no limit.
        files: the components of each single file that was loaded.
        skipped: the reasons for skipped combinations of the matrix.
        values: the content of the file, merged with the extended suite. It is stored with results.
    """

    name: str
    file: str
    dataset: Choice[Dataset]
    evaluator: Choice[Evaluator]
    evaluation: EvaluationSettings
    scorers: dict[str, Choice[Scorer]]
    cells: tuple[Cell, ...]
    assessor: str | None
    time_limit: float | None
    files: Mapping[ComponentFile, Sequence[type[Component]]]
    skipped: tuple[str, ...]
    values: dict[str, Any]

    @property
    def row_names(self) -> list[str]:
        """The names of the rows that have cells, in the suite's order."""
        return list(dict.fromkeys(cell.row.name for cell in self.cells))

    @property
    def local_protocols(self) -> dict[str, str]:
        """The local protocols of the rows: what each changes, by its name in tables."""
        rows = {id(cell.row): cell.row for cell in self.cells}.values()
        return {row.local_protocol: row.protocol.summary for row in rows if row.local_protocol}


def load_suite(suite: Path | str, available: Catalogue | None = None, *, quick: bool = False) -> ResolvedSuite:
    """Read, check and expand a suite.

    Args:
        suite: the path of a file, or the name of a shipped suite.
        available: the catalogue of components; by default all installed ones.
        quick: True for the first seed of each axis only. The cells are a part of the complete suite's.

    Raises:
        SuiteError: the suite does not exist or has a mistake. The message has file, line and column.
    """
    file, shown = find_suite(suite)
    model, source = read_suite(file, shown)
    if quick:
        first = {axis: seeds and seeds[:1] for axis, seeds in model.seeds}
        model = model.model_copy(update={"seeds": model.seeds.model_copy(update=first)})
    return _Resolver(model, source, file.parent, available or catalogue()).resolve()


class _NoLatentsError(SuiteError):
    """A refiner that needs latents is combined with a generator without latents."""


class _Resolver:
    """A resolver of one suite."""

    def __init__(self, model: SuiteModel, source: YamlSource, folder: Path, available: Catalogue) -> None:
        self.model = model
        self.source = source
        self.available = available = with_components(model.components, source, folder, available)
        self.published = read_published(model.published, source, folder)
        self.build = Builder(model, source, folder, available)
        self.pools: dict[str, str] = {}
        self.skipped: list[str] = []

    def resolve(self) -> ResolvedSuite:
        model = self.model
        self.build.check_variants()
        dataset = cast("Choice[Dataset]", self.build.component("dataset", model.dataset, ("dataset",)))
        evaluator = cast("Choice[Evaluator]", self.build.component("evaluator", model.evaluator, ("evaluator",)))
        scorers = {
            role: cast("Choice[Scorer]", self.build.component("scorer", use, ("scorers", role)))
            for role, use in model.scorers.items()
        }
        self.check_size()
        students = [
            cast("Choice[Student]", self.build.component("student", use, ("students", i)))
            for i, use in enumerate(model.students)
        ]
        for i, student in enumerate(students):
            self.distinct([s.label for s in students[:i]], student.label, ("students", i))
        rows = list(self.with_twins(self.rows()))
        if not rows:
            raise SuiteError(
                "the suite has neither 'methods' nor 'matrix'", where=self.source.file, hint="add a method"
            )
        check_fields(rows, scorers, dataset.component, self.source, self.available)
        check_labels(rows, self.source)
        check_teachers(rows, scorers, dataset.component, self.source)
        assessor = None if model.set_scores is None else model.set_scores.teacher
        if assessor is not None:
            check_assessor(assessor, scorers, dataset.component, self.source, self.available)
        cells = excluded(tuple(self.expand(rows, students)), model.exclude, self.source)
        check_sizes(cells, students, dataset.component, self.source, self.pools)
        check_generators(cells, dataset.component, self.source)
        check_published(cells, dataset, self.source)
        self.check_comparisons({cell.row.name: cell.row for cell in cells})
        check_splits(model.splits, rows, self.source)
        return ResolvedSuite(
            name=model.suite,
            file=self.source.file,
            dataset=dataset,
            evaluator=evaluator,
            evaluation=model.evaluation,
            scorers=scorers,
            cells=cells,
            assessor=assessor,
            time_limit=model.time_limit,
            files=self.available.files(),
            skipped=tuple(self.skipped),
            values=self.source.values,
        )

    def check_comparisons(self, left: Mapping[str, Row]) -> None:
        """Check the rows that others are compared with, among the rows that have cells."""
        check_baseline(self.model.baseline, self.model.twins, left, self.source)
        if self.model.scores is not None:
            described = {name: row.describe() for name, row in left.items()}
            check_references(self.model.scores, self.model.twins, described, self.source)

    def check_size(self) -> None:
        """Raise SuiteError if the suite has too many rows or cells."""
        model, matrix = self.model, self.model.matrix
        rows = len(model.methods)
        rows += 0 if matrix is None else len(matrix.generator) * len(matrix.selector) * len(matrix.refiner)
        rows *= 1 + len(model.twins)
        cells = rows * len(model.ipc) * len(model.students) * model.seeds.count
        for number, limit, what in ((rows, ROWS, "rows"), (cells, CELLS, "cells")):
            if number > limit:
                where, hint = self.source.file, "divide it into several suites"
                raise SuiteError(f"the suite has {number:,} {what}, and {limit:,} are allowed", where=where, hint=hint)

    def rows(self) -> list[Row]:
        """Return the methods in the suite's order, then the rows of the matrix."""
        rows = [self.row(name, m, ("methods", name), _METHOD_PARTS) for name, m in self.model.methods.items()]
        matrix = self.model.matrix
        if matrix is None:
            return rows
        names = {row.name for row in rows}
        axes = product(enumerate(matrix.generator), enumerate(matrix.selector), enumerate(matrix.refiner))
        for (g, generator), (s, entry), (r, refiner) in axes:
            method = Method(
                generator=generator,
                selector=entry.selector,
                refiner=refiner,
                pool=matrix.pool if entry.pool is None else entry.pool,
                labels=matrix.labels,
                protocol=matrix.protocol,
            )
            selector: KeyPath = ("selector", s, "selector")
            if ("matrix", *selector) not in self.source.places:
                selector = ("selector", s)
            parts: _Parts = {"generator": ("generator", g), "selector": selector, "refiner": ("refiner", r)}
            own_pool: KeyPath | None = None if entry.pool is None else ("selector", s, "pool")
            try:
                row = self.row(None, method, ("matrix",), parts, own_pool)
            except _NoLatentsError as error:
                self.skipped.append(error.message)
                continue
            self.distinct(names, row.name, ("matrix", "selector", s))
            names.add(row.name)
            rows.append(row)
        return rows

    def row(
        self, name: str | None, method: Method, path: KeyPath, parts: _Parts, own_pool: KeyPath | None = None
    ) -> Row:
        """Return one row.

        Args:
            name: its name; by default the names of its components.
            method: its model.
            path: its place in the file.
            parts: the places of its components below ``path``.
            own_pool: the place below ``path`` of a pool for its selector only, which then appears in the row's name.
        """
        generator = self.build.generator(method.generator, (*path, *parts["generator"]))
        selector_path = (*path, *parts["selector"])
        selector = cast("Choice[Selector]", self.build.component("selector", method.selector, selector_path))
        if own_pool is not None:
            selector = Choice(f"{selector.label} @{method.pool}", selector.component)
        refiner_path = (*path, *parts["refiner"])
        refiner = cast("Choice[Refiner]", self.build.component("refiner", method.refiner, refiner_path))
        borrowed = self.build.lender(generator)
        with_latents = borrowed or generator
        if refiner.component.needs_latents and not with_latents.component.has_latents:
            raise _NoLatentsError(
                f"refiner '{refiner.label}' needs latents, but generator '{with_latents.label}' has none",
                where=self.source.place(refiner_path),
                hint="choose a generator with latents; an imported pool borrows them from its `prior`",
            )
        default = None if generator.component.finite else selector.component.default_pool
        size = default if method.pool is None else method.pool
        local, protocol = self.build.protocols.get(*self.protocol_use(method, path))
        named = [generator.label, selector.label, *([] if refiner.component.identity else [refiner.label])]
        labels = method.labels or self.model.labels
        published: tuple[Published, ...] = ()
        if method.published is not None:
            published = published_as(method.published, self.published, (*path, "published"), self.source)
        parts_of_row = (generator, selector, refiner, PoolSize(size), labels, protocol, published, local, borrowed)
        row = Row(name or " + ".join(named), *parts_of_row)
        self.pools[row.name] = self.source.place((*path, *(own_pool or ("pool",))))
        return row

    def protocol_use(self, row: Method | Matrix | None, path: KeyPath) -> tuple[str | dict[str, Any], KeyPath]:
        """Return the protocol of a row, or of the matrix, at ``path``, and its place; by default the suite's."""
        if row is None or row.protocol is None:
            return self.model.protocol, ("protocol",)
        return row.protocol, (*path, "protocol")

    def with_twins(self, rows: list[Row]) -> Iterator[Row]:
        """Yield each row and then its twins."""
        names = {row.name for row in rows}
        for row in rows:
            yield row
            path: KeyPath = ("methods", row.name) if row.name in self.model.methods else ("matrix",)
            use, place = self.protocol_use(self.model.methods.get(row.name) or self.model.matrix, path)
            for name, changes in self.model.twins.items():
                twin_path: KeyPath = ("twins", name)
                local, protocol = self.build.protocols.twin(use, place, changes, twin_path)
                twin_name = twin_of(row.name, name)
                own = replace(row, protocol=protocol, local_protocol=local, published=())
                twin = replace(own, name=twin_name, original=row.name)
                self.distinct(names, twin.name, twin_path)
                self.pools[twin.name] = self.pools[row.name]
                yield twin

    def expand(self, rows: list[Row], students: list[Choice[Student]]) -> Iterator[Cell]:
        seeds = self.model.seeds
        for row, ipc, student in product(rows, self.model.ipc, students):
            for (generation, selection), training in product(seeds.of_sets, seeds.training):
                yield Cell(row, ipc, student, generation, selection, training)

    def distinct(self, others: Collection[str], name: str, path: KeyPath) -> None:
        if name in others:
            raise SuiteError(f"'{name}' occurs twice", where=self.source.place(path), hint="remove one or rename it")
