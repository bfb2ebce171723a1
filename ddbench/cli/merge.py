"""``ddbench merge``: unite exported folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def merge(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders that `ddbench export` wrote.")],
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="Write the union into this folder. It may be an export.")
    ],
) -> None:
    """Unite exported results of one suite. Results of several environments stay apart, and nothing is overwritten.

    If the folders contradict each other, a table says where. Then nothing is written, and the exit code is 1.
    """
    from ddbench.cli.output import print_table, stderr
    from ddbench.report.merge import merge_exports

    merged = merge_exports(folders, to)
    if merged.conflicts:
        print_table(["conflict", "one", "other"], [[each.what, each.one, each.other] for each in merged.conflicts])
        stderr.print(f"nothing was written to {to}", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1)
    replicates = f"; {merged.replicates} trainings have several results, which stay apart" if merged.replicates else ""
    print(f"{to}: {merged.results} results of {len(folders)} folders, {merged.new} of them new{replicates}")
