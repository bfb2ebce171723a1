"""``ddbench fetch``: get data up front, so that nothing touches the network later."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, cast

import typer


def fetch(
    what: Annotated[str, typer.Argument(help="A data set, or a suite file for the data that it needs.")],
) -> None:
    """Get the data of a data set or of a suite; resumes, and leaves nothing half-written."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    from ddbench.api import Dataset
    from ddbench.cli.output import stderr
    from ddbench.registry import create
    from ddbench.suite import load_suite

    if what.endswith((".yaml", ".yml")):
        choice = load_suite(Path(what)).dataset
        name, dataset = choice.label, choice.component
    else:
        name, dataset = what, cast("Dataset", create("dataset", what))
    if dataset.missing() is None:
        stderr.print(f"{name}: already there", markup=False, highlight=False)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=stderr) as bars:
        tasks = {}

        def progress(part: str, done: int, total: int) -> None:
            if part not in tasks:
                tasks[part] = bars.add_task(part, total=total or None)
            bars.update(tasks[part], completed=done, total=total or None)

        dataset.fetch(progress)
    stderr.print(f"{name}: fetched and checked", markup=False, highlight=False)
