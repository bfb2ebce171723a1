"""Results as a folder of JSON files: to be committed, merged with those of others, and made into leaderboards.

Exports of format 1 are read as well. Where one is merged with a new export of its suite, cells are matched by what they
are, not by their keys, which the formats do not share.
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
    """Write a suite and its records into ``folder``; return how many records there are, and how many of them are new.

    A record that is there already stays as it is. Cells may be added to a suite, and to those that a record stands for.
    Of absolute paths, which only the suite's author can have set, the last part is kept.

    Raises:
        StoreError: a file there says something else; then nothing is written.
    """
    files = {folder / SUITE: _suite_file(results)}
    files |= {folder / name: value for name, value in _record_files(results).items()}
    there = {path: _read(path) for path in files}
    merged = {path: _merged(path, there[path], _without_folders(value)) for path, value in files.items()}
    try:
        for path, value in merged.items():
            if value != there[path]:
                write_sealed(path, value)
    except OSError as error:
        raise DdbenchError(f"cannot write {folder}: {error.strerror}", hint="choose another folder: --to") from None
    return len(files) - 1, sum(there[path] is None for path in files if path.name != SUITE)


def read_exported(folder: Path) -> Results:
    """What :func:`export_results` wrote, perhaps several times; raises StoreError for a file that it did not write."""
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
    """Read the records by evaluation. Cells of another format are those of the suite that say the same."""
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
    """A cell without its key."""
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
    """Each record with the cells that it stands for, by the name of its file."""
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
    """A value as JSON has it, without the folders of absolute paths: they lie on one machine and are in no key."""
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
    """Return a file as its model. It is read as JSON is: strictly, but an array may become a tuple."""
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
    said = "is no file of this name that `ddbench export` writes, or was changed since"
    return StoreError(said, where=str(path), hint="restore or remove it")


def _merged(path: Path, there: dict[str, Any] | None, value: dict[str, Any]) -> dict[str, Any]:
    """What is to stand in a file; raises StoreError where that would change what it says."""
    if there is None:
        return value
    if path.name == SUITE:
        _check_suite(path, _parsed(SuiteFile, there, path), _parsed(SuiteFile, value, path))
        return {**there, **value}
    file, record = _record_file(path, there)
    new, new_record = _record_file(path, value)
    if _measured(record) != _measured(new_record):
        raise _conflict(path, "has other numbers for the same training in the same environment")
    return {**there, "cells": _merged_cells(there["cells"], file.cells, value["cells"], new.cells)}


def _merged_cells(there: list[Any], known: list[Trial], value: list[Any], new: list[Trial]) -> list[Any]:
    """Return the cells of both, each once: as it is there, unless it has a key of today now."""
    cells = {_place(trial): cell for trial, cell in zip(known, there, strict=True)}
    for trial, cell in zip(new, value, strict=True):
        if cells.get(_place(trial), {}).get("evaluation") != trial.evaluation:
            cells[_place(trial)] = cell
    return sorted(cells.values(), key=canonical_json)


def _check_suite(path: Path, there: SuiteFile, value: SuiteFile) -> None:
    """Raise StoreError where a suite has lost cells, or where its methods are not those of an export of format 1."""
    same_keys = there.format == value.format
    before, now = ({(_place(cell), cell.evaluation if same_keys else "") for cell in f.cells} for f in (there, value))
    if not before <= now:
        raise _conflict(path, "has cells that this suite has not")
    if not same_keys and not _same_words(there, value):
        raise _conflict(path, "describes methods in other words")


def _same_words(there: SuiteFile, value: SuiteFile) -> bool:
    """Return whether two suites say the same of the methods of the first, and of what all methods share."""
    parts = {row.method: row.parts for row in value.rows}
    variants = [file.values.get("generators") or {} for file in (there, value)]
    shared = [
        (file.dataset, file.numerics, *(file.values.get(key) for key in ("evaluator", "evaluate")))
        for file in (there, value)
    ]
    return (
        shared[0] == shared[1]
        and there.scorers.items() <= value.scorers.items()
        and all(parts.get(row.method) == row.parts for row in there.rows)
        and all(
            len({canonical_json(known.get(row.parts["generator"])) for known in variants}) == 1 for row in there.rows
        )
    )


def _measured(record: RunRecord) -> tuple[Any, ...]:
    """What of a record is the same wherever and whenever it is made again: no times, no dates."""
    result, validation = record.result, record.validation
    numbers = (result.last, result.best, result.evaluations, result.curve)
    return (*numbers, record.action_key, record.fingerprint, validation.digest, validation.size)


def _conflict(path: Path, message: str) -> StoreError:
    return StoreError(message, where=str(path), hint="nothing was written; export to another folder: --to")
