"""The union of several exports, and the conflicts between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ddbench.api.canonical import sha256_json
from ddbench.errors import StoreError
from ddbench.record import Assessment, Measurement, Shared
from ddbench.report.export_files import PARTS, Row, SuiteFile, Summary, united_assessments
from ddbench.report.export_reading import Exported, Place, numbers_of, place_of
from ddbench.report.results import Trial

# Keys of a suite under which two authors may add to each other. Any other key must be equal.
_ADDITIVE: Final = frozenset(
    ("exclude", "generators", "ipc", "matrix", "methods", "published", "scorers", "seeds", "students")
)


@dataclass(frozen=True)
class Conflict:
    """Two statements that cannot both be true of one leaderboard, or a file that cannot be read.

    Attributes:
        what: what they are about.
        one: the first statement, with its file.
        other: the second one.
    """

    what: str
    one: str
    other: str


@dataclass(frozen=True)
class _Stated:
    """A value and the file that states it."""

    value: Any
    path: Path

    def __str__(self) -> str:
        return f"{self.value} ({self.path})"


class Union:
    """Suites and records of one or more exports.

    Cells come from the suites and from the records themselves. So no result is lost if a suite's file is that of
    another export. A cell with keys of two formats has the newer key.

    Attributes:
        rows: the rows by method.
        cells: the cells by their values.
        files: the cells, the measurement and the path of each record.
        samples: the ids of chosen samples, by the key of the choice.
    """

    def __init__(self) -> None:
        self._conflicts: dict[str, Conflict] = {}
        self.rows: dict[str, Row] = {}
        self.cells: dict[Place, tuple[int, Trial]] = {}
        self.files: list[tuple[list[Trial], Measurement, Path]] = []
        self.samples: dict[str, list[str]] = {}
        self._suite: SuiteFile | None = None
        self._summaries: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        self._assessments: list[Assessment] = []
        self._stated: dict[str, _Stated] = {}
        self._shared = Shared()

    @property
    def conflicts(self) -> list[Conflict]:
        """The contradictions; the first about each thing."""
        return list(self._conflicts.values())

    def add_suite(self, path: Path, suite: SuiteFile) -> None:
        """Add the suite of an export."""
        for name in ("suite", "dataset", "numerics"):
            self._state(name, getattr(suite, name), path)
        if suite.classes is not None:
            self._state("number of classes", suite.classes, path)
        for kind, texts in (("generator", suite.generators), ("scorer", suite.scorers)):
            for name, text in texts.items():
                self._state(f"{kind} '{name}'", text, path)
        for row in suite.rows:
            self._add_row(row, path)
        for summary in suite.protocols:  # the longer one names more students
            self._summaries[summary.id] = max(self._summaries.get(summary.id, ""), summary.summary, key=len)
        for name, value in suite.values.items():
            if name not in _ADDITIVE and name != "suite":
                self._state(f"setting '{name}'", value, path)
        if self._suite is not None:
            for name in (self._values.keys() ^ suite.values.keys()) - _ADDITIVE:
                own, other = (values.get(name, "not set") for values in (self._values, suite.values))
                self._conflict(f"setting '{name}'", f"{own} (the other folders)", f"{other} ({path})")
        self._values = {**suite.values, **self._values, **_added(self._values, suite.values)}
        self._assessments = united_assessments(self._assessments, suite.assessments)
        if self._suite is None or suite.format > self._suite.format:
            self._suite = suite
        for cell in suite.cells:
            self._add_cell(cell, suite.format, path)

    def add(self, found: Exported) -> None:
        """Add a record."""
        record = found.record
        for parts in found.file.rows:
            self._add_row(Row(method=parts.method, parts=parts.parts, published=[]), found.path)
        for cell in found.file.cells:
            self._add_cell(cell, record.format, found.path)
        if record.dataset is not None:
            self._state("data set of the results", record.dataset.name, found.path)
        key = f"training {record.action_key[:16]} in environment {record.fingerprint[:16]}"
        measurement = Measurement.of(record, self._shared)
        if found.file.samples and measurement.selection is not None:
            self.samples.setdefault(measurement.selection, found.file.samples)
        numbers = sha256_json(numbers_of(record))
        known = self._stated.setdefault(key, _Stated((numbers, record.result.last), found.path))
        if known.value[0] != numbers:
            one, other = f"{known.value[1]} % ({known.path})", f"{record.result.last} % ({found.path})"
            self._conflict(key, one, f"other numbers: {other}")
        self.files.append((found.file.cells, measurement, found.path))

    def refuse(self, error: StoreError) -> None:
        """Add a file that cannot be read to the conflicts."""
        self._conflict(f"file {error.where}", error.message, error.hint or "")

    def by_key(self) -> tuple[dict[str, list[Measurement]], dict[str, list[Path]]]:
        """Return measurements and files by the keys in the records, also if these contradict each other."""
        return self._grouped(lambda cell: cell.evaluation)

    def by_evaluation(self) -> tuple[dict[str, list[Measurement]], dict[str, list[Path]]]:
        """Return measurements and files by evaluation, one for each key and environment."""
        return self._grouped(lambda cell: self.cells[place_of(cell)][1].evaluation)

    def _grouped(self, key: Callable[[Trial], str]) -> tuple[dict[str, list[Measurement]], dict[str, list[Path]]]:
        measured: dict[str, dict[tuple[str, str], Measurement]] = {}
        paths: dict[str, dict[tuple[str, str], Path]] = {}
        for cells, one, path in self.files:
            for evaluation in set(map(key, cells)):
                measured.setdefault(evaluation, {}).setdefault((one.action_key, one.fingerprint), one)
                paths.setdefault(evaluation, {}).setdefault((one.action_key, one.fingerprint), path)
        return _listed(measured), _listed(paths)

    def suite(self) -> SuiteFile:
        """Return the united suite. At least one suite must have been added."""
        assert self._suite is not None
        shown = {kind: self._texts(kind) for kind in ("generator", "scorer")}
        trials = [trial for _, trial in self.cells.values()]
        for trial in trials:
            parts = {**dict.fromkeys(sorted(PARTS), "?"), "protocol": trial.protocol}
            self.rows.setdefault(trial.method, Row(method=trial.method, parts=parts, published=[]))
            self._summaries.setdefault(trial.protocol, "")
        return self._suite.model_copy(
            update={
                "rows": list(self.rows.values()),
                "classes": self._stated["number of classes"].value if "number of classes" in self._stated else None,
                "generators": shown["generator"],
                "scorers": shown["scorer"],
                "protocols": [Summary(id=name, summary=text) for name, text in self._summaries.items()],
                "cells": trials,
                "values": self._values,
                "assessments": self._assessments,
            }
        )

    def _texts(self, kind: str) -> dict[str, str]:
        prefix = f"{kind} '"
        found = {name: stated.value for name, stated in self._stated.items() if name.startswith(prefix)}
        return {name.removeprefix(prefix)[:-1]: found[name] for name in found}

    def _state(self, what: str, value: Any, path: Path) -> None:
        known = self._stated.setdefault(what, _Stated(value, path))
        if known.value != value:
            self._conflict(what, str(known), str(_Stated(value, path)))

    def _add_row(self, row: Row, path: Path) -> None:
        for name, text in row.parts.items():
            self._state(f"{name} of row '{row.method}'", text, path)
        known = self.rows.setdefault(row.method, row)
        new = [number for number in row.published if number not in known.published]
        if new:
            self.rows[row.method] = known.model_copy(update={"published": [*known.published, *new]})

    def _add_cell(self, cell: Trial, form: int, path: Path) -> None:
        place = place_of(cell)
        known, trial = self.cells.setdefault(place, (form, cell))
        if known == form and trial.evaluation != cell.evaluation:
            one, other = (f"key {key[:16]}" for key in (trial.evaluation, cell.evaluation))
            self._conflict(f"trainings of row '{cell.method}'", one, f"{other} for the same cell ({path})")
        elif form > known:
            self.cells[place] = (form, cell)

    def _conflict(self, what: str, one: str, other: str) -> None:
        self._conflicts.setdefault(what, Conflict(what, one, other))


def _listed(groups: Mapping[str, Mapping[Any, Any]]) -> dict[str, list[Any]]:
    return {name: list(group.values()) for name, group in groups.items()}


def _added(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that both suites have and may add to: entries of tables and lists, each once."""
    found: dict[str, Any] = {}
    for name in one.keys() & other.keys() & _ADDITIVE:
        mine, theirs = one[name], other[name]
        if isinstance(mine, dict) and isinstance(theirs, dict):
            new = {key: value for key, value in theirs.items() if key not in mine}
            found[name] = {**mine, **new, **_added_tables(mine, theirs)}
        elif isinstance(mine, list) and isinstance(theirs, list):
            found[name] = [*mine, *(each for each in theirs if each not in mine)]
    return found


def _added_tables(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the lists inside two tables, such as the seeds of an axis, united."""
    both = mine.keys() & theirs.keys()
    return {
        name: [*mine[name], *(each for each in theirs[name] if each not in mine[name])]
        for name in both
        if isinstance(mine[name], list) and isinstance(theirs[name], list)
    }
