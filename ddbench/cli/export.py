"""``ddbench export``: write results as JSON files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ddbench.cli.options import StoreFolder, SuiteFile, store_root
from ddbench.text import counted


def export(
    suite: SuiteFile,
    to: Annotated[
        Path, typer.Option("--to", metavar="DIR", help="Write into the subfolder of DIR with the suite's name.")
    ] = Path("leaderboard/results"),
    store: StoreFolder = None,
    predictions: Annotated[
        bool, typer.Option("--predictions", help="Export the predicted class of each validation image too.")
    ] = False,
) -> None:
    """Write a suite's results as JSON, one file for each training, and the versions that made them.

    `ddbench report` makes the same leaderboard from these files.
    Existing files are kept. If one has a different result, nothing is written.
    """
    from ddbench.cli.output import print_damage
    from ddbench.errors import DdbenchError
    from ddbench.plan.state import plan_suite
    from ddbench.report.export_reading import PREDICTIONS
    from ddbench.report.exporting import export_results
    from ddbench.report.results import results_of

    resolved, state = plan_suite(suite, store_root(store))
    print_damage(state.corrupt.values())
    results = results_of(resolved, state)
    if not results.measured:
        raise DdbenchError(
            f"suite '{resolved.name}' has no results in {state.store.root}", hint=f"run it: `ddbench run {suite}`"
        )
    folder = to / resolved.name
    written = export_results(results, folder, state.store.predictions if predictions else None)
    of = "it" if written.results == 1 else "them"
    print(f"{folder}: {counted(written.results, 'result')}, {written.new} of {of} new")
    if predictions:
        told = f"predictions of {counted(written.predictions, 'result')}, {written.size / 1000:,.1f} kB"
        print(f"{folder / PREDICTIONS}: {told}")
