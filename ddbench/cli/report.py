"""``ddbench report``: show a leaderboard, or write and check its files."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from ddbench.cli.options import AsJson, Full, ResultFolders, StoreFolder, store_root

Source = Annotated[
    Path,
    typer.Argument(metavar="SUITE", help="A suite, a folder written by `ddbench export`, or a folder of such folders."),
]
Format = Annotated[
    str | None,
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
    results_from: ResultFolders = None,
) -> None:
    """Show a suite's leaderboard, or write it to a file. A dash means that there is no result yet."""
    from ddbench.cli.output import print_board
    from ddbench.cli.sources import read_results
    from ddbench.errors import DdbenchError
    from ddbench.report.formats import format_named
    from ddbench.report.leaderboard import leaderboard_of
    from ddbench.report.pages import exports_in, files_of, write

    known = format_named("json" if json else format_)
    if to is not None:
        files = files_of(suite, to, known, lambda: read_results(suite, store_root(store), results_from))
        if check:
            _tell_stale(files)
        write(files)
        return
    if check:
        raise DdbenchError("--check needs the file or folder to check", hint="name it with --to")
    if exports := exports_in(suite):
        found = ", ".join(export.name for export in exports)
        raise DdbenchError(f"{suite} holds several exports: {found}", hint="choose one, or write all with --to DIR")
    results = read_results(suite, store_root(store), results_from)
    print_board(results, leaderboard_of(results), known, full=full)


def _tell_stale(files: dict[Path, str]) -> None:
    """Print a line for each stale file, with the remedy, and exit."""
    from ddbench.report.pages import stale

    command = shlex.join(["ddbench", *(word for word in sys.argv[1:] if word != "--check")])
    old = list(stale(files))
    for path in old:
        print(f"{path} is stale; renew it with `{command}`")
    sys.exit(1 if old else 0)
