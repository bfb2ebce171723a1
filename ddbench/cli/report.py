"""``ddbench report``: make a leaderboard from results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ddbench.cli.options import AsJson, StoreFolder, is_export, store_root


def report(
    suite: Annotated[Path, typer.Argument(metavar="SUITE", help="A suite, or a folder written by `ddbench export`.")],
    store: StoreFolder = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the Markdown to this file.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Print a suite's leaderboard as Markdown. A dash means that there is no result yet."""
    from ddbench.cli.output import print_damage, print_json
    from ddbench.errors import DdbenchError
    from ddbench.plan.state import plan_suite
    from ddbench.report import leaderboard_of, read_exported, results_of, to_markdown
    from ddbench.toolkit.files import write_whole

    root = store_root(store)
    exported = is_export(suite)
    if exported:
        results = read_exported(suite)
    else:
        resolved, state = plan_suite(suite, root)
        print_damage(state.corrupt.values())
        results = results_of(resolved, state)
    if not results.measured:
        where, hint = (suite, "export it again") if exported else (root, f"run it: `ddbench run {suite}`")
        raise DdbenchError(f"suite '{results.suite}' has no results in {where}", hint=hint)
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
