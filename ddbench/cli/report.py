"""``ddbench report``: a leaderboard from results alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ddbench.cli.options import AsJson, StoreFolder, SuiteFile, store_root


def report(
    suite: SuiteFile,
    store: StoreFolder = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the markdown here.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Print a suite's leaderboard as markdown; what has no result yet shows as a dash."""
    from ddbench.cli.output import print_json
    from ddbench.errors import DdbenchError
    from ddbench.plan.load import planned
    from ddbench.report import build_leaderboard, to_markdown
    from ddbench.store.files import write_whole

    resolved, state = planned(suite, store_root(store))
    if not state.results:
        raise DdbenchError(
            f"suite '{resolved.name}' has no result in {state.store.root}", hint=f"run it: `ddbench run {suite}`"
        )
    board = build_leaderboard(resolved, state)
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
