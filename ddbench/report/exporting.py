"""Write results as a folder of JSON files, from which leaderboards can be made. Existing results are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from ddbench.api.canonical import canonical_json
from ddbench.errors import DdbenchError, StoreError
from ddbench.record import Measurement, RunRecord, Shared
from ddbench.report.export_files import FORMAT, SuiteFile, assessed, united_assessments
from ddbench.report.export_reading import (
    PREDICTIONS,
    SUITE,
    Exported,
    name_of,
    numbers_of,
    parse_exported,
    parse_file,
    parse_suite,
    place_of,
    predictions_file,
    read_exported_file,
    read_exported_files,
    read_value,
    record_paths,
    stem,
)
from ddbench.report.lock import LOCK, lock_text
from ddbench.report.private import without_folders
from ddbench.report.results import Results, Trial
from ddbench.toolkit.files import sealed, write_many


@dataclass(frozen=True)
class Written:
    """The outcome of an export.

    Attributes:
        results: number of results.
        new: number of new ones.
        predictions: number of files of predictions.
        size: their bytes.
    """

    results: int
    new: int
    predictions: int = 0
    size: int = 0


def export_results(
    results: Results, folder: Path, predictions: Callable[[RunRecord], bytes | None] | None = None
) -> Written:
    """Write a suite and its records into ``folder``.

    Existing records are kept. Cells can be added to the suite and to the cells of a record. Paths are shortened to
    their last part.

    Args:
        results: the results.
        folder: the folder.
        predictions: returns the file of a record's predictions, to export them too.

    Raises:
        StoreError: an existing file has different content; then nothing is written.
        DdbenchError: the folder cannot be written.
    """
    suite, existing_suite = without_folders(_suite_file(results), results.paths), read_value(folder / SUITE)
    merged_suite = _merged_suite(folder / SUITE, existing_suite, suite)
    there: dict[str, list[Path]] = {}
    for path in record_paths(folder):
        there.setdefault("-".join(path.stem.split("-")[:2]), []).append(path)
    files = _record_files(results)
    states = [_compared(folder, there.get(name, []), results, file) for name, file in files.items()]
    contents = (
        (path.name, sealed(_merged(path, read_value(path), _value(results, file))))
        for file, (state, path) in zip(files.values(), states, strict=True)
        if state != "same"
    )
    changed_suite = [] if merged_suite == existing_suite else [(SUITE, sealed(merged_suite))]
    try:
        if changed_suite or any(state != "same" for state, _ in states):
            write_many(folder, chain(changed_suite, contents))
        copied = {} if predictions is None else _predictions(results, files, predictions)
        write_new(folder / PREDICTIONS, copied)
        write_lock(folder)
    except OSError as error:
        hint = "choose another folder with --to"
        raise DdbenchError(f"cannot write {folder}: {error.strerror}", hint=hint) from None
    new = sum(state == "new" for state, _ in states)
    return Written(len(files), new, len(copied), sum(map(len, copied.values())))


def write_new(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files that a folder lacks. Files named by their content are never written again."""
    missing = [(name, data) for name, data in files.items() if not (folder / name).exists()]
    if missing:
        write_many(folder, missing)


def write_lock(folder: Path) -> None:
    """Write the lock file of an export, if it is not there or says something else."""
    shared = Shared()
    data = lock_text(Measurement.of(found.record, shared) for found in read_exported_files(folder)).encode()
    path = folder / LOCK
    if not path.is_file() or path.read_bytes() != data:
        write_many(folder, [(LOCK, data)])


def _suite_file(results: Results) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "suite": results.suite,
        "dataset": results.dataset,
        "classes": results.classes,
        "numerics": results.numerics,
        "rows": [
            {"method": name, "parts": parts, "published": list(map(asdict, results.published.get(name, ())))}
            for name, parts in results.rows.items()
        ],
        "generators": results.generators,
        "scorers": results.scorers,
        "protocols": [{"id": name, "summary": summary} for name, summary in results.protocols.items()],
        "cells": list(map(asdict, results.trials)),
        "values": results.values,
        **assessed([results.assessments[digest] for digest in sorted(results.assessments)]),
    }


@dataclass
class _File:
    """A record and the cells of one exported file.

    Attributes:
        evaluation: a key under which the results have the record.
        measured: its measurement. The environment tells it from others of the same key.
        trials: the cells.
    """

    evaluation: str
    measured: Measurement
    trials: list[Trial]

    def records(self, results: Results) -> list[RunRecord]:
        """Return the record. Raise StoreError if it was removed meanwhile."""
        found = [one for one in results.records[self.evaluation] if one.fingerprint == self.measured.fingerprint]
        if not found:
            raise StoreError(f"a result of '{self.trials[0].method}' was removed meanwhile", hint="export again")
        return found


def _record_files(results: Results) -> dict[str, _File]:
    """Return the files of all records by the beginning of their names."""
    found: dict[str, _File] = {}
    for trial in results.trials:
        for measured in results.measured.get(trial.evaluation, ()):
            file = found.setdefault(stem(measured), _File(trial.evaluation, measured, []))
            file.trials.append(trial)
    return found


def _predictions(
    results: Results, files: dict[str, _File], predictions: Callable[[RunRecord], bytes | None]
) -> dict[str, bytes]:
    """Return the files of predictions by name."""
    records = [file.records(results)[0] for file in files.values()]
    named = [(place, record) for record in records if (place := predictions_file(Path(), record)) is not None]
    found = ((place.name, predictions(record)) for place, record in named)
    return {name: data for name, data in found if data is not None}


def _value(results: Results, file: _File) -> dict[str, Any]:
    """Return a record with its cells and rows as JSON."""
    cells = sorted(map(asdict, file.trials), key=canonical_json)
    rows = [{"method": name, "parts": results.rows[name]} for name in sorted({trial.method for trial in file.trials})]
    value: dict[str, Any] = {"record": file.records(results)[0].to_json(), "cells": cells, "rows": rows}
    shortened: dict[str, Any] = without_folders(value, results.paths)
    samples = results.samples.get(file.measured.selection or "")
    return {**shortened, "samples": list(samples)} if samples else shortened


def _compared(folder: Path, there: list[Path], results: Results, file: _File) -> tuple[str, Path]:
    """Return whether a record's file is ``new``, the ``same`` or ``changed``, and its path.

    Args:
        folder: the folder.
        there: its files of the same training in the same environment.
        results: the results.
        file: the record and its cells.

    Raises:
        StoreError: the existing files have other numbers.
    """
    value = _value(results, file)
    record = RunRecord.parse(value["record"])
    path = folder / name_of(record, value["record"])
    for known in there:
        existing = read_exported_file(known)
        if existing is not None:
            if numbers_of(existing.record) != numbers_of(record):
                raise _conflict(known, "the file has other numbers for the same training in the same environment")
            path = known
    existing_value = read_value(path)
    if existing_value is None:
        return "new", path
    return ("same" if _merged(path, existing_value, value) == existing_value else "changed"), path


def _merged_suite(path: Path, existing: dict[str, Any] | None, value: dict[str, Any]) -> dict[str, Any]:
    """Return the new content of the suite's file. Raise StoreError if the merge would change existing content."""
    if existing is None:
        return value
    before, after = parse_suite(path, existing), parse_suite(path, value)
    _check_suite(path, before, after)
    return {**existing, **value, **assessed(united_assessments(before.assessments, after.assessments))}


def _merged(path: Path, existing: dict[str, Any] | None, value: dict[str, Any]) -> dict[str, Any]:
    """Return the new content of a record's file: the existing record, with the cells and rows of both."""
    if existing is None:
        return value
    return with_cells(parse_exported(path, existing), value)


def with_cells(existing: Exported, value: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a file with the cells and rows of another content of the same training."""
    new = parse_file(existing.path, value)
    cells = _merged_cells(existing.value["cells"], existing.file.cells, value["cells"], new.cells)
    rows = {row["method"]: row for row in (*existing.value.get("rows", ()), *value.get("rows", ()))}
    return {**value, **existing.value, "cells": cells, "rows": [rows[name] for name in sorted(rows)]}


def _merged_cells(existing: list[Any], old: list[Trial], value: list[Any], new: list[Trial]) -> list[Any]:
    """Return the cells of both files, each once. A new cell replaces an existing one with another key."""
    cells = {place_of(trial): cell for trial, cell in zip(old, existing, strict=True)}
    for trial, cell in zip(new, value, strict=True):
        if cells.get(place_of(trial), {}).get("evaluation") != trial.evaluation:
            cells[place_of(trial)] = cell
    return sorted(cells.values(), key=canonical_json)


def _check_suite(path: Path, existing: SuiteFile, value: SuiteFile) -> None:
    """Raise StoreError if cells are missing, or if methods differ from those of an existing export of format 1."""
    same_keys = existing.format == value.format
    before, now = ({(place_of(c), c.evaluation if same_keys else "") for c in f.cells} for f in (existing, value))
    if not before <= now:
        raise _conflict(path, "the file has cells that this suite does not have")
    if not same_keys and not _same_words(existing, value):
        raise _conflict(path, "the file describes the methods differently")


def _same_words(existing: SuiteFile, value: SuiteFile) -> bool:
    """Return whether two suites describe the methods of the first, and their common settings, equally."""
    parts = {row.method: row.parts for row in value.rows}
    variants = [file.values.get("generators") or {} for file in (existing, value)]
    shared = [
        (file.dataset, file.numerics, *(file.values.get(key) for key in ("evaluator", "evaluate")))
        for file in (existing, value)
    ]
    return (
        shared[0] == shared[1]
        and existing.scorers.items() <= value.scorers.items()
        and all(parts.get(row.method) == row.parts for row in existing.rows)
        and all(
            len({canonical_json(names.get(row.parts["generator"])) for names in variants}) == 1 for row in existing.rows
        )
    )


def _conflict(path: Path, message: str) -> StoreError:
    return StoreError(message, where=str(path), hint="nothing was written; choose another folder with --to")
