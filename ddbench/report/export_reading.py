"""Read the files of an exported folder. Each is bound to its name, and everything else is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

from pydantic import ValidationError

from ddbench.api.canonical import canonical_json, sha256_json
from ddbench.errors import StoreError
from ddbench.record import Measurement, Part, RunRecord
from ddbench.record.predictions import SUFFIX
from ddbench.report.export_files import RecordFile, SuiteFile
from ddbench.report.results import Trial
from ddbench.toolkit.files import CorruptError, read_sealed

SUITE: Final = "suite.json"
PREDICTIONS: Final = "predictions"
_DIGITS: Final = 16

P = TypeVar("P", bound=Part)
# The method, IPC, student, protocol and seeds of a cell.
Place: TypeAlias = tuple[str, int, str, str, tuple[tuple[str, int], ...]]


@dataclass(frozen=True)
class Exported:
    """One file of an export.

    Attributes:
        path: its path.
        value: its content.
        file: the content as a model.
        record: the record.
    """

    path: Path
    value: dict[str, Any]
    file: RecordFile
    record: RunRecord


def read_value(path: Path) -> dict[str, Any] | None:
    """Return the content of a file; None if it does not exist. Raise StoreError for a damaged file."""
    try:
        return read_sealed(path)
    except CorruptError:
        raise _foreign(path) from None


def read_suite(folder: Path) -> SuiteFile:
    """Return the suite of an export. Raise StoreError if the folder has none."""
    value = read_value(folder / SUITE)
    if value is None:
        hint = "give a suite file, or a folder that `ddbench export` wrote"
        raise StoreError(f"there is no {SUITE}", where=str(folder), hint=hint)
    return parse_suite(folder / SUITE, value)


def parse_suite(path: Path, value: dict[str, Any]) -> SuiteFile:
    """Return the suite of a file's content."""
    return _parsed(SuiteFile, value, path)


def record_paths(folder: Path) -> list[Path]:
    """Return the paths of the records of an export, sorted."""
    return sorted(path for path in folder.glob("*.json") if path.name != SUITE)


def read_exported_file(path: Path) -> Exported | None:
    """Return the record of a file; None if it was removed meanwhile. Raise StoreError for a damaged or foreign file."""
    value = read_value(path)
    return None if value is None else parse_exported(path, value)


def read_exported_files(folder: Path) -> Iterator[Exported]:
    """Yield the records of an export in the order of their names."""
    found = map(read_exported_file, record_paths(folder))
    return (each for each in found if each is not None)


def parse_exported(path: Path, value: dict[str, Any]) -> Exported:
    """Return the record of a file's content. Raise StoreError if it does not belong to the file's name."""
    file = parse_file(path, value)
    try:
        record = RunRecord.parse(file.record)
    except CorruptError:
        raise _foreign(path) from None
    if path.name != f"{stem(record)}.json" and path.name != name_of(record, file.record):
        raise _foreign(path)
    return Exported(path, value, file, record)


def parse_file(path: Path, value: dict[str, Any]) -> RecordFile:
    """Return the cells and the record of a file's content, whose name may be another."""
    return _parsed(RecordFile, value, path)


def stem(record: RunRecord | Measurement) -> str:
    """Return the beginning of the names of all files of a training in one environment."""
    return f"{record.action_key[:_DIGITS]}-{record.fingerprint[:_DIGITS]}"


def name_of(record: RunRecord | Measurement, value: dict[str, Any]) -> str:
    """Return the name of a record's file. It has a digest of the record, so that no other record takes its place.

    Files of earlier versions have the same name without the digest.
    """
    return f"{stem(record)}-{sha256_json(value)[:_DIGITS]}.json"


def predictions_file(folder: Path, record: RunRecord) -> Path | None:
    """Return the place of a record's predictions in an export; None if it has none. The file need not exist."""
    return None if record.predictions is None else folder / PREDICTIONS / f"{record.predictions.sha256}{SUFFIX}"


def place_of(trial: Trial) -> Place:
    """Return the values of a cell without its key."""
    return trial.method, trial.ipc, trial.student, trial.protocol, tuple(sorted(trial.seeds.items()))


def numbers_of(record: RunRecord) -> tuple[Any, ...]:
    """Return the values of a record that are equal in every repetition: no times, no dates."""
    result, validation = record.result, record.validation
    numbers = (result.last, result.best, result.evaluations, result.curve)
    return (*numbers, record.action_key, record.fingerprint, validation.digest, validation.size)


def _parsed(model: type[P], value: dict[str, Any], path: Path) -> P:
    """Return a file as its model. Types are strict, except that an array may become a tuple."""
    try:
        return model.model_validate_json(canonical_json(value))
    except (ValidationError, ValueError):
        raise _foreign(path) from None


def _foreign(path: Path) -> StoreError:
    message = "`ddbench export` did not write this file, or the file was changed later"
    return StoreError(message, where=str(path), hint="restore or remove it")
