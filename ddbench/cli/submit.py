"""``ddbench submit``: lay out a pull request of results, and check it."""

from __future__ import annotations

from os.path import isdir
from pathlib import Path
from typing import Annotated

import typer

from ddbench.cli.options import StoreFolder, store_root


def submit(
    suite: Annotated[Path, typer.Argument(metavar="SUITE", help="A suite, or a folder that `ddbench export` wrote.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Lay out the pull request in this folder.")] = Path(
        "submission"
    ),
    store: StoreFolder = None,
) -> None:
    """Lay out what a pull request to `leaderboard/` needs, and make the checks of a reviewer.

    The folder gets the results, their page, their lock file and a text. Exit with 1 if a check fails.
    """
    from ddbench.cli.output import print_notes
    from ddbench.errors import DdbenchError
    from ddbench.plan.state import plan_suite
    from ddbench.report.export_reading import SUITE
    from ddbench.report.exported import read_exported
    from ddbench.report.exporting import export_results
    from ddbench.report.merge import merge_exports
    from ddbench.report.results import results_of
    from ddbench.report.submission import PLACE, checks_of, lay_out
    from ddbench.suite.shipped import shipped_suites

    damage: list[str] = []
    if isdir(suite) and (suite / SUITE).is_file():  # noqa: PTH112  (False for a name that no folder can have)
        folder = to / PLACE / "results" / read_exported(suite).suite
        conflicts = merge_exports([suite], folder).conflicts
        if conflicts:
            raise DdbenchError(
                f"{folder} has other results: {conflicts[0].what}", hint="choose another folder with --to"
            )
    else:
        resolved, state = plan_suite(suite, store_root(store))
        found, damage = results_of(resolved, state), sorted(set(state.corrupt.values()))
        if not found.measured:
            raise DdbenchError(f"suite '{resolved.name}' has no results", hint=f"run it: `ddbench run {suite}`")
        folder = to / PLACE / "results" / resolved.name
        export_results(found, folder)
    results = read_exported(folder)
    checks = checks_of(results, folder, [Path(name).name for name in shipped_suites()], damage)
    files = lay_out(results, to, checks)
    for path in (folder, *files):
        print(path)
    print_notes(check.line for check in checks)
    if any(check.problems for check in checks):
        raise typer.Exit(1)
