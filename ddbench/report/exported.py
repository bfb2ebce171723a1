"""Results as a folder of JSON files: to be committed, merged with those of others, and made into leaderboards."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ddbench.api.canonical import canonical_json
from ddbench.errors import DdbenchError, StoreError
from ddbench.report.results import Results, Trial
from ddbench.suite.published import Published
from ddbench.toolkit.files import CorruptError, read_sealed, write_sealed

FORMAT = 1
SUITE = "suite.json"
_DIGITS = 16


def export_results(results: Results, folder: Path) -> tuple[int, int]:
    """Write a suite and its records into ``folder``; return how many records there are, and how many of them are new.

    A record that is there already stays as it is. Cells may be added to a suite, and to those that a record stands for.
    Of absolute paths, which only the suite's author can have set, the last part is kept.

    Raises:
        StoreError: a file there says something else; then nothing is written.
    """
    files = {folder / SUITE: _suite_file(results)}
    files |= {folder / _name(value["record"]): value for value in _record_files(results)}
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
    suite = _read(folder / SUITE)
    if suite is None:
        hint = "give a suite file, or a folder that `ddbench export` wrote"
        raise StoreError(f"there is no {SUITE}", where=str(folder), hint=hint)
    records: dict[str, list[dict[str, Any]]] = {}
    for path in sorted(folder.glob("*.json")):
        value = _read(path)
        if path.name == SUITE or value is None:
            continue
        with _known_form(path):
            if path.name != _name(value["record"]):
                raise ValueError("renamed")
            for evaluation in {cell["evaluation"] for cell in value["cells"]}:
                records.setdefault(evaluation, []).append(value["record"])
    with _known_form(folder / SUITE):
        if suite["format"] != FORMAT:
            raise ValueError("another format")
        return Results(
            suite=suite["suite"],
            dataset=suite["dataset"],
            numerics=suite["numerics"],
            rows={row["method"]: row["parts"] for row in suite["rows"]},
            # Older exports have none.
            generators=suite.get("generators", {}),
            scorers=suite["scorers"],
            protocols={protocol["id"]: protocol["summary"] for protocol in suite["protocols"]},
            trials=tuple(Trial(**cell) for cell in suite["cells"]),
            published={
                row["method"]: tuple(Published(**number) for number in row["published"])
                for row in suite["rows"]
                if row["published"]
            },
            values=suite["values"],
            records=records,
        )


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


def _record_files(results: Results) -> list[dict[str, Any]]:
    """Each record with the cells that it stands for."""
    found: dict[str, dict[str, Any]] = {}
    for trial in results.trials:
        for record in results.records.get(trial.evaluation, ()):
            value = found.setdefault(_name(record), {"record": record, "cells": []})
            value["cells"].append(asdict(trial))
    for value in found.values():
        value["cells"].sort(key=canonical_json)
    return list(found.values())


def _name(record: dict[str, Any]) -> str:
    return f"{record['action_key'][:_DIGITS]}-{record['fingerprint'][:_DIGITS]}.json"


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


@contextmanager
def _known_form(path: Path) -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError):
        raise _foreign(path) from None


def _foreign(path: Path) -> StoreError:
    said = "is no file of this name that `ddbench export` writes, or was changed since"
    return StoreError(said, where=str(path), hint="restore or remove it")


def _merged(path: Path, there: dict[str, Any] | None, value: dict[str, Any]) -> dict[str, Any]:
    """What is to stand in a file; raises StoreError where that would change what it says."""
    if there is None:
        return value
    with _known_form(path):
        if path.name == SUITE:
            if not _lines(there["cells"]) <= _lines(value["cells"]):
                raise _conflict(path, "has cells that this suite has not")
            return value
        if _measured(there["record"]) != _measured(value["record"]):
            raise _conflict(path, "has other numbers for the same training in the same environment")
        cells = _lines(there["cells"]) | _lines(value["cells"])
        return {"record": there["record"], "cells": [json.loads(line) for line in sorted(cells)]}


def _lines(cells: Iterable[dict[str, Any]]) -> set[str]:
    return {canonical_json(asdict(Trial(**cell))) for cell in cells}


def _measured(record: dict[str, Any]) -> dict[str, Any]:
    """What of a record is the same wherever and whenever it is made again: no times, no dates."""
    result = {name: record["result"][name] for name in ("last", "best", "evaluations", "curve")}
    return {**result, **{name: record[name] for name in ("action_key", "fingerprint", "validation")}}


def _conflict(path: Path, message: str) -> StoreError:
    return StoreError(message, where=str(path), hint="nothing was written; export to another folder: --to")
