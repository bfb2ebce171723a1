"""Write and read results as a folder of JSON files, from which leaderboards can be made.

Exports of format 1 can be read too. The keys of the two formats differ. So a merge of an old and a new export matches
cells by their other values.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from ddbench.api.canonical import canonical_json
from ddbench.errors import DdbenchError, StoreError
from ddbench.record import Part, RunRecord
from ddbench.report.export_files import FORMAT, RecordFile, SuiteFile
from ddbench.report.results import Results, Trial
from ddbench.toolkit.files import CorruptError, read_sealed, write_sealed

SUITE = "suite.json"
_DIGITS = 16

P = TypeVar("P", bound=Part)


def export_results(results: Results, folder: Path) -> tuple[int, int]:
    """Write a suite and its records into ``folder``. Return the number of records and the number of new ones.

    Existing records are kept. Cells can be added to the suite and to the cells of a record. Absolute paths in the suite
    are shortened to their last part.

    Raises:
        StoreError: an existing file has different content; then nothing is written.
        DdbenchError: the folder cannot be written.
    """
    files = {folder / SUITE: _suite_file(results)}
    files |= {folder / name: value for name, value in _record_files(results).items()}
    existing = {path: _read(path) for path in files}
    merged = {path: _merged(path, existing[path], _without_folders(value)) for path, value in files.items()}
    try:
        for path, value in merged.items():
            if value != existing[path]:
                write_sealed(path, value)
    except OSError as error:
        hint = "choose another folder with --to"
        raise DdbenchError(f"cannot write {folder}: {error.strerror}", hint=hint) from None
    return len(files) - 1, sum(existing[path] is None for path in files if path.name != SUITE)


def read_exported(folder: Path) -> Results:
    """Read the files of :func:`export_results`. Raise StoreError for a file that it did not write."""
    value = _read(folder / SUITE)
    if value is None:
        hint = "give a suite file, or a folder that `ddbench export` wrote"
        raise StoreError(f"there is no {SUITE}", where=str(folder), hint=hint)
    suite = _parsed(SuiteFile, value, folder / SUITE)
    return Results(
        suite=suite.suite,
        dataset=suite.dataset,
        numerics=suite.numerics,
        rows={row.method: row.parts for row in suite.rows},
        generators=suite.generators,
        scorers=suite.scorers,
        protocols={protocol.id: protocol.summary for protocol in suite.protocols},
        trials=tuple(suite.cells),
        published={row.method: tuple(row.published) for row in suite.rows if row.published},
        values=suite.values,
        records=_records(folder, suite),
        format=suite.format,
    )


def _records(folder: Path, suite: SuiteFile) -> dict[str, list[RunRecord]]:
    """Read the records by evaluation. Match cells of the other format with the suite's by their values."""
    evaluations = {_place(trial): trial.evaluation for trial in suite.cells}
    records: dict[str, list[RunRecord]] = {}
    for path in sorted(folder.glob("*.json")):
        value = None if path.name == SUITE else _read(path)
        if value is None:
            continue
        file, record = _record_file(path, value)
        places = {} if record.format == suite.format else evaluations
        for evaluation in {places.get(_place(cell), cell.evaluation) for cell in file.cells}:
            records.setdefault(evaluation, []).append(record)
    return records


def _place(trial: Trial) -> str:
    """Return the values of a cell without its key, as text."""
    return canonical_json({**asdict(trial), "evaluation": None})


def _suite_file(results: Results) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "suite": results.suite,
        "dataset": results.dataset,
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


def _record_files(results: Results) -> dict[str, dict[str, Any]]:
    """Return the content of each record's file, by the file's name."""
    found: dict[str, dict[str, Any]] = {}
    for trial in results.trials:
        for record in results.records.get(trial.evaluation, ()):
            value = found.setdefault(_name(record), {"record": record.to_json(), "cells": []})
            value["cells"].append(asdict(trial))
    for value in found.values():
        value["cells"].sort(key=canonical_json)
    return found


def _name(record: RunRecord) -> str:
    return f"{record.action_key[:_DIGITS]}-{record.fingerprint[:_DIGITS]}.json"


def _without_folders(value: Any) -> Any:
    """Return a JSON value with absolute paths shortened to their last part, as folders differ between machines."""
    if isinstance(value, dict):
        return {str(name): _without_folders(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_without_folders(part) for part in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


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


def _merged(path: Path, existing: dict[str, Any] | None, value: dict[str, Any]) -> dict[str, Any]:
    """Return the new content of a file. Raise StoreError if the merge would change existing content."""
    if existing is None:
        return value
    if path.name == SUITE:
        _check_suite(path, _parsed(SuiteFile, existing, path), _parsed(SuiteFile, value, path))
        return {**existing, **value}
    file, record = _record_file(path, existing)
    new, new_record = _record_file(path, value)
    if _measured(record) != _measured(new_record):
        raise _conflict(path, "the file has other numbers for the same training in the same environment")
    return {**existing, "cells": _merged_cells(existing["cells"], file.cells, value["cells"], new.cells)}


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
