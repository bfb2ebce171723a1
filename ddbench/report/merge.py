"""Unite exported folders of one suite. Replicates stay apart, and nothing is overwritten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ddbench.errors import DdbenchError, StoreError
from ddbench.record import read_predictions
from ddbench.report.export_files import assessed
from ddbench.report.export_reading import (
    PREDICTIONS,
    SUITE,
    Exported,
    name_of,
    parse_exported,
    predictions_file,
    read_exported_file,
    read_suite,
    read_value,
    record_paths,
)
from ddbench.report.exporting import with_cells, write_lock, write_new
from ddbench.report.mixed import mixed_code
from ddbench.report.union import Conflict, Union
from ddbench.toolkit.files import sealed, write_many


@dataclass(frozen=True)
class Merged:
    """The outcome of a merge.

    Attributes:
        conflicts: what cannot be united; if there is anything, nothing was written.
        results: number of results of the union.
        new: number of results that the target did not have.
        replicates: number of trainings with results from several environments or inputs.
    """

    conflicts: list[Conflict]
    results: int = 0
    new: int = 0
    replicates: int = 0


class _Files:
    """The files of the union by name, each with the paths that have its record."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.paths: dict[str, list[Path]] = {}
        self.predictions: dict[Path, Exported] = {}
        self._names: dict[str, str] = {}

    def add(self, found: Exported) -> None:
        own = name_of(found.record, found.file.record)
        # A file of the target keeps its name, which an earlier version may have given.
        name = self._names.setdefault(own, found.path.name if found.path.parent == self.target else own)
        self.paths.setdefault(name, []).append(found.path)
        place = predictions_file(found.path.parent, found.record)
        if place is not None and place.exists():
            self.predictions.setdefault(place, found)

    def contents(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the name and the new content of each file that changes."""
        for name, (first, *others) in self.paths.items():
            before = value = _value(first)
            for other in others:
                value = with_cells(parse_exported(first, value), _value(other))
            if first.parent != self.target or value != before:
                yield name, value


def merge_exports(folders: Sequence[Path], target: Path) -> Merged:
    """Write the union of exported folders, and of ``target`` if it is one, into ``target``.

    Raises:
        StoreError: a folder is not an export.
        DdbenchError: the target cannot be written.
    """
    union, files = Union(), _Files(target)
    sources = [target] if (target / SUITE).is_file() else []
    for folder in (*sources, *(folder for folder in folders if folder.resolve() != target.resolve())):
        _add(folder, union, files)
    conflicts = [*union.conflicts]
    mixed = mixed_code(one for _, one, _ in union.files)
    if mixed is not None:
        conflicts.append(Conflict("code", f"the folders have {mixed}", "raise the version of the component"))
    if conflicts:
        return Merged(conflicts)
    measured, _ = union.by_evaluation()
    united = union.suite()
    suite = {**(_value(target / SUITE) if sources else {}), **united.model_dump(mode="json", exclude={"assessments"})}
    suite |= {"cells": list(map(asdict, united.cells)), **assessed(united.assessments)}
    new = len(files.paths) - sum(path.parent == target for path, *_ in files.paths.values())
    try:
        if not sources or suite != _value(target / SUITE) or new:
            contents = ((name, sealed(value)) for name, value in files.contents())
            write_many(target, ((name, data) for part in ([(SUITE, sealed(suite))], contents) for name, data in part))
        write_new(
            target / PREDICTIONS,
            {path.name: read_predictions(path, found.record) for path, found in files.predictions.items()},
        )
        write_lock(target)
    except OSError as error:
        raise DdbenchError(f"cannot write {target}: {error.strerror}", hint="choose another folder with --to") from None
    return Merged([], len(files.paths), new, sum(len(found) > 1 for found in measured.values()))


def _add(folder: Path, union: Union, files: _Files) -> None:
    """Add a folder. A file that cannot be read is a conflict, so that one table shows all of them."""
    if not (folder / SUITE).exists():
        inside = sorted(path.parent.name for path in folder.glob(f"*/{SUITE}"))
        hint = f"merge its subfolders one by one: {', '.join(inside)}" if inside else "`ddbench export` writes exports"
        raise StoreError(f"the folder is not an export: it has no {SUITE}", where=str(folder), hint=hint)
    try:
        union.add_suite(folder / SUITE, read_suite(folder))
    except StoreError as error:
        union.refuse(error)
    for path in record_paths(folder):
        try:
            found = read_exported_file(path)
            if found is not None:
                _check_predictions(found)
                union.add(found)
                files.add(found)
        except StoreError as error:
            union.refuse(error)


def _check_predictions(found: Exported) -> None:
    place = predictions_file(found.path.parent, found.record)
    if place is not None and place.exists():
        read_predictions(place, found.record)


def _value(path: Path) -> dict[str, Any]:
    """Return the content of an existing file."""
    value = read_value(path)
    if value is None:
        raise StoreError("the file was removed meanwhile", where=str(path), hint="merge again")
    return value
