"""Find exported results that count as there for the cells of a suite."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ddbench.errors import StoreError
from ddbench.plan import Exports
from ddbench.plan.node import KEY_FORMAT
from ddbench.report.export_reading import SUITE, read_exported_files
from ddbench.report.exported import read_records
from ddbench.report.union import Union
from ddbench.toolkit.lazy import LazyMapping


def results_in(folders: Sequence[Path]) -> Exports:
    """Return the results of exported folders, or of folders that hold some. Only JSON is read, and no code.

    Raises:
        StoreError: a folder has no exports, a file is damaged, or two results contradict each other.
    """
    union, owners, earlier = Union(), dict[str, Path](), 0
    for folder in folders:
        for export in _exports(folder):
            for found in read_exported_files(export):
                if found.record.format < KEY_FORMAT:
                    earlier += 1
                    continue
                union.add(found)
                for cell in found.file.cells:
                    owners.setdefault(cell.evaluation, folder)
    numbers = [conflict for conflict in union.conflicts if conflict.what.startswith("training ")]
    if numbers:
        problem = f"{numbers[0].what}: {numbers[0].one}, {numbers[0].other}"
        raise StoreError(f"two exports contradict each other about {problem}", hint="leave one of them out")
    measured, paths = union.by_key()
    return Exports(measured, LazyMapping(paths, read_records), owners, union.samples, earlier)


def _exports(folder: Path) -> list[Path]:
    """Return the exports of a folder: itself, or its subfolders."""
    inside = [folder] if os.path.lexists(folder / SUITE) else sorted(path.parent for path in folder.glob(f"*/{SUITE}"))
    if not inside:
        hint = "give a folder that `ddbench export` wrote, or the folder around several"
        raise StoreError("there are no exported results", where=str(folder), hint=hint)
    return inside
