"""``ddbench report``: make a leaderboard from results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ddbench.cli.options import AsJson, StoreFolder, store_root


def report(
    suite: Annotated[Path, typer.Argument(metavar="SUITE", help="A suite, or a folder written by `ddbench export`.")],
    store: StoreFolder = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the Markdown to this file.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Print a suite's leaderboard as Markdown. A dash means that there is no result yet."""
    from ddbench.cli.output import print_json
    from ddbench.cli.sources import read_results
    from ddbench.errors import DdbenchError
    from ddbench.report import leaderboard_of, to_markdown
    from ddbench.toolkit.files import write_whole

    results = read_results(suite, store_root(store))
    board = leaderboard_of(results)
    text = to_markdown(board)
    if output is not None:
        try:
            write_whole(output, text.encode())
        except OSError as error:
            raise DdbenchError(f"cannot write {output}: {error.strerror}") from None
    elif json:
        print_json(board.to_json())
    else:
        print(text)
