"""The results that a command is given: those of a suite in the store, or of an exported folder."""

from __future__ import annotations

from os.path import isdir
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddbench.plan import Exports
    from ddbench.report.results import Results


def is_export(source: Path) -> bool:
    """Return whether a source is an exported folder, and not a suite."""
    from ddbench.report.exported import SUITE
    from ddbench.suite.shipped import shipped_suites

    # Unlike `Path.is_dir`, it is False for a name that no folder can have.
    return isdir(source) and ((source / SUITE).is_file() or source.as_posix() not in shipped_suites())  # noqa: PTH112


def exported_results(folders: list[Path] | None) -> Exports | None:
    """Return the results of exported folders; None without folders."""
    if not folders:
        return None
    from ddbench.report.elsewhere import results_in

    return results_in(folders)


def read_results(source: Path, root: Path, folders: list[Path] | None = None) -> Results:
    """Return the results of a suite or of an exported folder. Raise DdbenchError if there are none.

    Args:
        source: the suite or the folder.
        root: the store's folder.
        folders: folders with further results of the suite.
    """
    from ddbench.cli.output import print_damage, print_notes
    from ddbench.errors import DdbenchError
    from ddbench.plan.state import plan_suite
    from ddbench.report.exported import read_exported
    from ddbench.report.results import results_of

    exported = is_export(source)
    if exported and folders:
        hint = "unite the folders with `ddbench merge`"
        raise DdbenchError(f"--results adds to a suite, and {source} is a folder of results", hint=hint)
    if exported:
        results = read_exported(source)
    else:
        resolved, state = plan_suite(source, root, exports=exported_results(folders))
        print_damage(state.corrupt.values())
        print_notes(state.sources())
        results = results_of(resolved, state)
    if not results.measured:
        where, hint = (source, "export it again") if exported else (root, f"run it: `ddbench run {source}`")
        raise DdbenchError(f"suite '{results.suite}' has no results in {where}", hint=hint)
    return results
