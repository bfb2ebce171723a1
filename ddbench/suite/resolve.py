"""From a suite's structure to configured components and cells, with the place of every mistake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from pydantic import ValidationError

from ddbench.api import Component, Dataset, Evaluator, Generator, Refiner, Scorer, Selector, Student
from ddbench.api.component import explain
from ddbench.errors import ComponentError, SuiteError, did_you_mean
from ddbench.registry import Catalogue, catalogue
from ddbench.suite.cells import Cell, Choice, PoolSize, Row
from ddbench.suite.check_scorers import check_fields, check_labels
from ddbench.suite.checks import check_generators, check_published, check_sizes
from ddbench.suite.model import ComponentUse, Method, Pool, SuiteModel
from ddbench.suite.published import Published, published_as, read_published
from ddbench.suite.read import read_suite
from ddbench.suite.shipped import find_suite
from ddbench.yaml_source import KeyPath, YamlSource

if TYPE_CHECKING:
    from ddbench.protocol.protocol import Protocol

_Parts = dict[str, KeyPath]
_METHOD_PARTS: _Parts = {"generator": ("generator",), "selector": ("selector",), "refiner": ("refiner",)}


@dataclass(frozen=True, eq=False)
class ResolvedSuite:
    """A suite with every name resolved and every parameter checked.

    Attributes:
        skipped: why combinations of the matrix were left out.
        values: the suite as it was read, ``extends`` merged: what is stored with its results.
    """

    name: str
    file: str
    dataset: Choice[Dataset]
    evaluator: Choice[Evaluator]
    numerics: str
    cadence: str
    scorers: dict[str, Choice[Scorer]]
    cells: tuple[Cell, ...]
    skipped: tuple[str, ...]
    values: dict[str, Any]


def load_suite(suite: Path | str, known: Catalogue | None = None) -> ResolvedSuite:
    """Read, check and expand a suite.

    Args:
        suite: the path of a file, else the name of a shipped suite.

    Raises:
        SuiteError: with file, line and column: the file is no valid suite, or names what does not exist.
    """
    file, shown = find_suite(suite)
    model, source = read_suite(file, shown)
    return _Resolver(model, source, file.parent, known or catalogue()).resolve()


class _NoLatentsError(SuiteError):
    """A refiner was combined with a generator it cannot work with."""


class _Resolver:
    """Resolves one suite; holds what has been built already, so that equal entries are one object."""

    def __init__(self, model: SuiteModel, source: YamlSource, folder: Path, known: Catalogue) -> None:
        self.model = model
        self.source = source
        self.known = known
        self.published = read_published(model.published, source, folder)
        self._generators: dict[str, Choice[Generator]] = {}
        self.pools: dict[str, str] = {}
        self.skipped: list[str] = []

    def resolve(self) -> ResolvedSuite:
        model = self.model
        self.check_variants()
        dataset = cast("Choice[Dataset]", self.component("dataset", model.dataset, ("dataset",)))
        evaluator = cast("Choice[Evaluator]", self.component("evaluator", model.evaluator, ("evaluator",)))
        scorers = {
            role: cast("Choice[Scorer]", self.component("scorer", use, ("scorers", role)))
            for role, use in model.scorers.items()
        }
        students = [
            cast("Choice[Student]", self.component("student", use, ("students", i)))
            for i, use in enumerate(model.students)
        ]
        for i, student in enumerate(students):
            self.distinct([s.label for s in students[:i]], student.label, ("students", i))
        rows = self.rows()
        if not rows:
            raise SuiteError("neither 'methods' nor 'matrix' names anything to run", where=self.source.file)
        check_fields(rows, scorers, dataset.component, self.source, self.known)
        check_labels(rows, scorers, dataset.component, self.source)
        cells = self.excluded(tuple(self.expand(rows, students)))
        check_sizes(cells, students, dataset.component, self.source, self.pools)
        check_generators(cells, dataset.component, self.source)
        check_published(cells, dataset.label, self.source)
        return ResolvedSuite(
            name=model.suite,
            file=self.source.file,
            dataset=dataset,
            evaluator=evaluator,
            numerics=model.numerics,
            cadence=model.evaluate,
            scorers=scorers,
            cells=cells,
            skipped=tuple(self.skipped),
            values=self.source.values,
        )

    def component(self, kind: str, use: ComponentUse, path: KeyPath) -> Choice[Component]:
        """A configured component, labelled by its name and the parameters that the suite sets."""
        try:
            cls = self.known.get(kind, use.use)
        except ComponentError as error:
            raise SuiteError(error.message, where=self.source.place((*path, "use")), hint=error.hint) from None
        try:
            built = cls(cls.Params(**use.params))
        except ValidationError as error:
            where = self.source.place((*path, *error.errors()[0]["loc"]))
            raise SuiteError(f"{cls.label()}: {explain(error, cls.Params)}", where=where) from None
        try:
            # Part of every key; known to fail here, a name in it that means nothing has a place.
            _ = built.fingerprinted
        except ComponentError as error:
            raise SuiteError(error.message, where=error.where or self.source.place(path), hint=error.hint) from None
        named = {name: getattr(built.params, name) for name in cls.shown} | use.params
        shown = ", ".join(f"{name}={value}" for name, value in named.items())
        return Choice(f"{use.use} ({shown})" if shown else use.use, built)

    def protocol(self, name: str, path: KeyPath) -> Protocol:
        try:
            return self.known.protocol(name)
        except ComponentError as error:
            raise SuiteError(error.message, where=error.where or self.source.place(path), hint=error.hint) from None

    def check_variants(self) -> None:
        """Raise SuiteError for a variant that has the name of another generator, as which tables would show it.

        Of those that come with ddbench: a plug-in that is installed later makes no suite wrong.
        """
        own = (cls for cls in self.known.components("generator") if cls.__module__.startswith("ddbench_components."))
        taken = {cls.info.name for cls in own}
        for name, use in self.model.generators.items():
            if name in taken and name != use.use:
                raise SuiteError(
                    f"this variant of '{use.use}' has the name of the generator '{name}'",
                    where=self.source.place(("generators", name)),
                    hint="rename it",
                )

    def generator(self, name: str, path: KeyPath) -> Choice[Generator]:
        """A generator by the name of a variant in this suite, else of a component."""
        if name not in self._generators:
            if name in self.model.generators:
                choice = self.component("generator", self.model.generators[name], ("generators", name))
            else:
                choice = self.component("generator", ComponentUse(use=name), path)
            self._generators[name] = Choice(name, cast("Generator", choice.component))
        return self._generators[name]

    def selector(self, use: ComponentUse, path: KeyPath) -> tuple[Choice[Selector], Pool | None]:
        """A selector and the pool size that its entry may carry."""
        params = dict(use.params)
        pool = params.pop("pool", None)
        choice = cast("Choice[Selector]", self.component("selector", ComponentUse(use=use.use, params=params), path))
        if pool is None:
            return choice, None
        try:
            Method(generator="", selector=use, pool=pool)
        except ValidationError as error:
            raise SuiteError(
                f"'pool' is {pool!r}: {error.errors()[0]['msg'].removeprefix('Value error, ')}",
                where=self.source.place((*path, "pool")),
            ) from None
        return Choice(f"{choice.label} @{pool}", choice.component), pool

    def rows(self) -> list[Row]:
        """The methods in the suite's order, then the matrix."""
        rows = [self.row(name, m, ("methods", name), _METHOD_PARTS) for name, m in self.model.methods.items()]
        matrix = self.model.matrix
        if matrix is None:
            return rows
        axes = product(enumerate(matrix.generator), enumerate(matrix.selector), enumerate(matrix.refiner))
        for (g, generator), (s, selector), (r, refiner) in axes:
            method = Method(
                generator=generator,
                selector=selector,
                refiner=refiner,
                pool=matrix.pool,
                labels=matrix.labels,
                protocol=matrix.protocol,
            )
            parts: _Parts = {"generator": ("generator", g), "selector": ("selector", s), "refiner": ("refiner", r)}
            try:
                row = self.row(None, method, ("matrix",), parts)
            except _NoLatentsError as error:
                self.skipped.append(error.message)
                continue
            self.distinct([other.name for other in rows], row.name, ("matrix", *parts["selector"]))
            rows.append(row)
        return rows

    def row(self, name: str | None, method: Method, path: KeyPath, parts: _Parts) -> Row:
        """One row; ``parts`` says where below ``path`` its components stand."""
        generator = self.generator(method.generator, (*path, *parts["generator"]))
        selector, own_pool = self.selector(method.selector, (*path, *parts["selector"]))
        refiner_path = (*path, *parts["refiner"])
        refiner = cast("Choice[Refiner]", self.component("refiner", method.refiner, refiner_path))
        if refiner.component.needs_latents and not generator.component.has_latents:
            raise _NoLatentsError(
                f"refiner '{refiner.label}' needs latents, and generator '{generator.label}' keeps none",
                where=self.source.place(refiner_path),
                hint="choose a generator with a latent prior",
            )
        default = None if generator.component.finite else selector.component.default_pool
        size = next((p for p in (own_pool, method.pool) if p is not None), default)
        protocol_path = (*path, "protocol") if method.protocol else ("protocol",)
        protocol = self.protocol(method.protocol or self.model.protocol, protocol_path)
        named = [generator.label, selector.label, *([] if refiner.component.identity else [refiner.label])]
        labels = method.labels or self.model.labels
        published: tuple[Published, ...] = ()
        if method.published is not None:
            published = published_as(method.published, self.published, (*path, "published"), self.source)
        row = Row(name or " + ".join(named), generator, selector, refiner, PoolSize(size), labels, protocol, published)
        said = (*path, "pool") if own_pool is None else (*path, *parts["selector"], "pool")
        self.pools[row.name] = self.source.place(said)
        return row

    def expand(self, rows: list[Row], students: list[Choice[Student]]) -> Iterator[Cell]:
        seeds = self.model.seeds
        for row, ipc, student in product(rows, self.model.ipc, students):
            for (generation, selection), training in product(seeds.of_sets, seeds.training):
                yield Cell(row, ipc, student, generation, selection, training)

    def excluded(self, cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """The cells that no ``exclude`` entry matches; an entry that matches nothing is a mistake."""
        if not self.model.exclude:
            return cells
        names = [_names(cell) for cell in cells]
        dropped: set[int] = set()
        for index, entry in enumerate(self.model.exclude):
            wanted = {key: set(values) for key, values in entry.model_dump(exclude_none=True).items()}
            where = self.source.place(("exclude", index))
            if not wanted:
                raise SuiteError("excludes everything", where=where, hint="say what to leave out")
            self.known_names(wanted, names, ("exclude", index))
            matched = {i for i, has in enumerate(names) if all(has[key] & values for key, values in wanted.items())}
            if not matched:
                raise SuiteError("excludes no cell", where=where, hint="no cell has all of this at once")
            dropped |= matched
        kept = tuple(cell for i, cell in enumerate(cells) if i not in dropped)
        if not kept:
            raise SuiteError("excludes every cell", where=self.source.place(("exclude",)))
        return kept

    def known_names(self, wanted: dict[str, set[Any]], names: list[dict[str, set[Any]]], path: KeyPath) -> None:
        """Raise SuiteError unless each wanted name is that of some cell."""
        for key, values in wanted.items():
            known = set().union(*(has[key] for has in names))
            for value in values - known:
                hint = did_you_mean(str(value), map(str, known))
                raise SuiteError(f"no cell has the {key} '{value}'", where=self.source.place((*path, key)), hint=hint)

    def distinct(self, others: list[str], name: str, path: KeyPath) -> None:
        if name in others:
            raise SuiteError(f"'{name}' stands twice", where=self.source.place(path), hint="remove one or rename it")


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
