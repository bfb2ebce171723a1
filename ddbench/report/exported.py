"""Write and read results as a folder of JSON files, from which leaderboards can be made.

Exports of format 1 can be read too. The keys of the two formats differ. So a merge of an old and a new export matches
cells by their other values.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from ddbench.api.canonical import canonical_json
from ddbench.errors import DdbenchError, StoreError
from ddbench.record import Measurement, Part, RunRecord, Shared
from ddbench.report.export_files import FORMAT, RecordFile, SuiteFile
from ddbench.report.mixed import mixed_code
from ddbench.report.private import without_folders
from ddbench.report.results import Results, Trial
from ddbench.toolkit.files import CorruptError, read_sealed, sealed, write_many
from ddbench.toolkit.lazy import LazyMapping

SUITE = "suite.json"
_DIGITS = 16

P = TypeVar("P", bound=Part)


def export_results(results: Results, folder: Path) -> tuple[int, int]:
    """Write a suite and its records into ``folder``. Return the number of records and the number of new ones.

    Existing records are kept. Cells can be added to the suite and to the cells of a record. Paths are shortened to
    their last part.

    Raises:
        StoreError: an existing file has different content; then nothing is written.
        DdbenchError: the folder cannot be written.
    """
    files = _record_files(results)
    suite, existing_suite = without_folders(_suite_file(results), results.paths), _read(folder / SUITE)
    merged_suite = _merged_suite(folder / SUITE, existing_suite, suite)
    states = {name: _compared(folder / name, results, file) for name, file in files.items()}
    changed = [name for name, state in states.items() if state != "same"]
    contents = ((name, sealed(_content(folder / name, results, files[name]))) for name in changed)
    changed_suite = [] if merged_suite == existing_suite else [(SUITE, sealed(merged_suite))]
    try:
        if changed or changed_suite:
            write_many(folder, chain(changed_suite, contents))
    except OSError as error:
        hint = "choose another folder with --to"
        raise DdbenchError(f"cannot write {folder}: {error.strerror}", hint=hint) from None
    return len(files), sum(state == "new" for state in states.values())


def read_exported(folder: Path) -> Results:
    """Read the files of :func:`export_results`. Raise StoreError for other files, or for mixed code."""
    value = _read(folder / SUITE)
    if value is None:
        hint = "give a suite file, or a folder that `ddbench export` wrote"
        raise StoreError(f"there is no {SUITE}", where=str(folder), hint=hint)
    suite = _parsed(SuiteFile, value, folder / SUITE)
    measured, paths, samples = _files(folder, suite)
    mixed = mixed_code(one for found in measured.values() for one in found)
    if mixed is not None:
        hint = "export them to two folders, or raise the version of the component"
        raise StoreError(f"the files are {mixed}", where=str(folder), hint=hint)
    return Results(
        suite=suite.suite,
        dataset=suite.dataset,
        numerics=suite.numerics,
        rows={row.method: row.parts for row in suite.rows},
        generators=suite.generators,
        scorers=suite.scorers,
        classes=suite.classes,
        protocols={protocol.id: protocol.summary for protocol in suite.protocols},
        trials=tuple(suite.cells),
        published={row.method: tuple(row.published) for row in suite.rows if row.published},
        values=suite.values,
        measured=measured,
        records=LazyMapping(paths, _read_records),
        samples=samples,
        format=suite.format,
    )


def _files(
    folder: Path, suite: SuiteFile
) -> tuple[dict[str, list[Measurement]], dict[str, list[Path]], dict[str, list[str]]]:
    """Return measurements and files by evaluation, and the ids of samples by their choice.

    Cells of the other format are matched with the suite's by their values.
    """
    evaluations = {_place(trial): trial.evaluation for trial in suite.cells}
    measured: dict[str, list[Measurement]] = {}
    paths: dict[str, list[Path]] = {}
    samples: dict[str, list[str]] = {}
    shared = Shared()
    for path in sorted(folder.glob("*.json")):
        value = None if path.name == SUITE else _read(path)
        if value is None:
            continue
        file, record = _record_file(path, value)
        measurement = Measurement.of(record, shared)
        if file.samples and measurement.selection is not None:
            samples[measurement.selection] = file.samples
        places = {} if record.format == suite.format else evaluations
        for evaluation in {places.get(_place(cell), cell.evaluation) for cell in file.cells}:
            measured.setdefault(evaluation, []).append(measurement)
            paths.setdefault(evaluation, []).append(path)
    return measured, paths, samples


def _read_records(paths: list[Path]) -> list[RunRecord]:
    values = ((path, _read(path)) for path in paths)
    return [_record_file(path, value)[1] for path, value in values if value is not None]


def _place(trial: Trial) -> str:
    """Return the values of a cell without its key, as text."""
    return canonical_json({**asdict(trial), "evaluation": None})


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


def _record_files(results: Results) -> dict[str, _File]:
    """Return the files of all records by name."""
    found: dict[str, _File] = {}
    for trial in results.trials:
        for measured in results.measured.get(trial.evaluation, ()):
            file = found.setdefault(_name(measured), _File(trial.evaluation, measured, []))
            file.trials.append(trial)
    return found


def _value(results: Results, file: _File) -> dict[str, Any]:
    """Return a record with its cells as JSON."""
    found = [one.to_json() for one in results.records[file.evaluation] if one.fingerprint == file.measured.fingerprint]
    if not found:
        raise StoreError(f"a result of '{file.trials[0].method}' was removed meanwhile", hint="export again")
    cells = sorted(map(asdict, file.trials), key=canonical_json)
    value: dict[str, Any] = without_folders({"record": found[0], "cells": cells}, results.paths)
    samples = results.samples.get(file.measured.selection or "")
    return {**value, "samples": list(samples)} if samples else value


def _content(path: Path, results: Results, file: _File) -> dict[str, Any]:
    """Return the new content of a record's file."""
    return _merged(path, _read(path), _value(results, file))


def _compared(path: Path, results: Results, file: _File) -> str:
    """Return whether a record's file is ``new``, the ``same`` or ``changed``. Raise StoreError if it conflicts."""
    existing = _read(path)
    if existing is None:
        return "new"
    return "same" if _merged(path, existing, _value(results, file)) == existing else "changed"


def _name(record: RunRecord | Measurement) -> str:
    return f"{record.action_key[:_DIGITS]}-{record.fingerprint[:_DIGITS]}.json"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return read_sealed(path)
    except CorruptError:
        raise _foreign(path) from None


def _parsed(model: type[P], value: dict[str, Any], path: Path) -> P:
    """Return a file as its model. Types are strict, except that an array may become a tuple."""
    try:
        return model.model_validate_json(canonical_json(value))
    except (ValidationError, ValueError):
        raise _foreign(path) from None


def _record_file(path: Path, value: dict[str, Any]) -> tuple[RecordFile, RunRecord]:
    file = _parsed(RecordFile, value, path)
    try:
        record = RunRecord.parse(file.record)
    except CorruptError:
        raise _foreign(path) from None
    if path.name != _name(record):
        raise _foreign(path)
    return file, record


def _foreign(path: Path) -> StoreError:
    message = "`ddbench export` did not write this file, or the file was changed later"
    return StoreError(message, where=str(path), hint="restore or remove it")


def _merged_suite(path: Path, existing: dict[str, Any] | None, value: dict[str, Any]) -> dict[str, Any]:
    """Return the new content of the suite's file. Raise StoreError if the merge would change existing content."""
    if existing is None:
        return value
    _check_suite(path, _parsed(SuiteFile, existing, path), _parsed(SuiteFile, value, path))
    return {**existing, **value}


def _merged(path: Path, existing: dict[str, Any] | None, value: dict[str, Any]) -> dict[str, Any]:
    """Return the new content of a record's file. Raise StoreError if the merge would change existing content."""
    if existing is None:
        return value
    file, record = _record_file(path, existing)
    new, new_record = _record_file(path, value)
    if _measured(record) != _measured(new_record):
        raise _conflict(path, "the file has other numbers for the same training in the same environment")
    return {**value, **existing, "cells": _merged_cells(existing["cells"], file.cells, value["cells"], new.cells)}


def _merged_cells(existing: list[Any], old: list[Trial], value: list[Any], new: list[Trial]) -> list[Any]:
    """Return the cells of both files, each once. A new cell replaces an existing one with another key."""
    cells = {_place(trial): cell for trial, cell in zip(old, existing, strict=True)}
    for trial, cell in zip(new, value, strict=True):
        if cells.get(_place(trial), {}).get("evaluation") != trial.evaluation:
            cells[_place(trial)] = cell
    return sorted(cells.values(), key=canonical_json)


def _check_suite(path: Path, existing: SuiteFile, value: SuiteFile) -> None:
    """Raise StoreError if cells are missing, or if methods differ from those of an existing export of format 1."""
    same_keys = existing.format == value.format
    before, now = ({(_place(c), c.evaluation if same_keys else "") for c in f.cells} for f in (existing, value))
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


def _measured(record: RunRecord) -> tuple[Any, ...]:
    """Return the values of a record that are equal in every repetition: no times, no dates."""
    result, validation = record.result, record.validation
    numbers = (result.last, result.best, result.evaluations, result.curve)
    return (*numbers, record.action_key, record.fingerprint, validation.digest, validation.size)


def _conflict(path: Path, message: str) -> StoreError:
    return StoreError(message, where=str(path), hint="nothing was written; choose another folder with --to")
