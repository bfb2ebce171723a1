"""``ddbench report``: show a leaderboard, or write and check its files."""

from __future__ import annotations

import shlex
import sys
from os.path import isdir
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ddbench.cli.options import AsJson, Full, StoreFolder, store_root

if TYPE_CHECKING:
    from ddbench.report import Results

Source = Annotated[
    Path,
    typer.Argument(metavar="SUITE", help="A suite, a folder written by `ddbench export`, or a folder of such folders."),
]
Format = Annotated[
    Literal["md", "html", "latex", "csv", "json"] | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="md, html, latex, csv or json.",
        show_default="by the file's name; else a table on a terminal, md elsewhere",
    ),
]
To = Annotated[
    Path | None,
    typer.Option("--to", "--output", "-o", metavar="FILE", help="Write to this file, or pages and index to a folder."),
]
Check = Annotated[bool, typer.Option("--check", help="Write nothing; exit with code 1 if files of --to are stale.")]


def report(
    suite: Source,
    store: StoreFolder = None,
    format_: Format = None,
    to: To = None,
    check: Check = False,
    full: Full = False,
    json: AsJson = False,
) -> None:
    """Show a suite's leaderboard, or write it to a file. A dash means that there is no result yet."""
    from ddbench.cli.output import print_board
    from ddbench.errors import DdbenchError
    from ddbench.report import leaderboard_of
    from ddbench.report.pages import exports_in, format_of, pages_of, stale, write

    name = "json" if json else format_
    exports = exports_in(suite)
    if exports and to is None:
        found = ", ".join(export.name for export in exports)
        raise DdbenchError(f"{suite} holds several exports: {found}", hint="choose one, or write all with --to DIR")
    if check and to is None:
        raise DdbenchError("--check needs the file or folder to check", hint="name it with --to")
    if to is not None:
        kind = None if exports else format_of(name, to)
        if kind is None:
            files = pages_of(exports, to, name)
        else:
            results = _results(suite, store)
            files = {to: kind.render(results, leaderboard_of(results))}
        if not check:
            write(files)
            return
        command = shlex.join(["ddbench", *(word for word in sys.argv[1:] if word != "--check")])
        old = list(stale(files))
        for path in old:
            print(f"{path} is stale; make it anew with `{command}`")
        sys.exit(1 if old else 0)
    results = _results(suite, store)
    print_board(results, leaderboard_of(results), name, full=full)


def _results(suite: Path, store: Path | None) -> Results:
    """Return the results of a suite or of an exported folder. Raise DdbenchError if there are none."""
    from ddbench.cli.output import print_damage
    from ddbench.errors import DdbenchError
    from ddbench.plan.state import plan_suite
    from ddbench.report import read_exported, results_of
    from ddbench.report.exported import SUITE
    from ddbench.suite.shipped import shipped_suites

    root = store_root(store)
    # Unlike `Path.is_dir`, it is False for a name that no folder can have.
    exported = isdir(suite) and ((suite / SUITE).is_file() or suite.as_posix() not in shipped_suites())  # noqa: PTH112
    if exported:
        results = read_exported(suite)
    else:
        resolved, state = plan_suite(suite, root)
        print_damage(state.corrupt.values())
        results = results_of(resolved, state)
    if not results.measured:
        where, hint = (suite, "export it again") if exported else (root, f"run it: `ddbench run {suite}`")
        raise DdbenchError(f"suite '{results.suite}' has no results in {where}", hint=hint)
    return results
