"""Read the results of an exported folder.

Exports of format 1 can be read too. The keys of the two formats differ. So a merge of an old and a new export matches
cells by their other values.
"""

from __future__ import annotations

from pathlib import Path

from ddbench.errors import StoreError
from ddbench.record import RunRecord
from ddbench.report.export_reading import SUITE, read_exported_file, read_exported_files, read_suite
from ddbench.report.mixed import mixed_code
from ddbench.report.results import Results
from ddbench.report.union import Union
from ddbench.toolkit.lazy import LazyMapping

__all__ = ["SUITE", "read_exported", "read_records"]


def read_exported(folder: Path) -> Results:
    """Read the files of an export. Raise StoreError for other files, for conflicts, or for mixed code."""
    suite, union = read_suite(folder), Union()
    union.add_suite(folder / SUITE, suite)
    for found in read_exported_files(folder):
        union.add(found)
    for conflict in union.conflicts:
        hint = "put the files of each author into a folder of their own, and unite the folders with `ddbench merge`"
        message = f"the files contradict each other about the {conflict.what}: {conflict.one}, {conflict.other}"
        raise StoreError(message, where=str(folder), hint=hint)
    measured, paths = union.by_evaluation()
    mixed = mixed_code(one for each in measured.values() for one in each)
    if mixed is not None:
        hint = "export them to two folders, or raise the version of the component"
        raise StoreError(f"the files are {mixed}", where=str(folder), hint=hint)
    suite = union.suite()
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
        assessments={one.distilled: one for one in suite.assessments},
        measured=measured,
        records=LazyMapping(paths, read_records),
        samples=union.samples,
        format=suite.format,
    )


def read_records(paths: list[Path]) -> list[RunRecord]:
    """Return the records of exported files that still exist."""
    return [found.record for found in map(read_exported_file, paths) if found is not None]
