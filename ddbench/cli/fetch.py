"""``ddbench fetch``: get data up front, so that no run touches the network or decodes a folder of photographs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from ddbench.api import Dataset


def fetch(
    what: Annotated[str, typer.Argument(help="A data set, or a suite file for the data that it needs.")],
    params: Annotated[
        list[str] | None,
        typer.Argument(help="Parameters of the data set, such as split=fastai.", metavar="[NAME=VALUE]..."),
    ] = None,
) -> None:
    """Get the data of a data set or of a suite, and decode it; resumes, and leaves nothing half-written."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

    from ddbench.cli.output import stderr

    name, dataset = _dataset(what, params or [])
    was_there = dataset.missing() is None
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bars = Progress(*columns, console=stderr)
    tasks: dict[str, TaskID] = {}
    with ExitStack() as shown:

        def progress(part: str, done: int, total: int) -> None:
            if not tasks:
                shown.enter_context(bars)
            if part not in tasks:
                tasks[part] = bars.add_task(part, total=total or None)
            bars.update(tasks[part], completed=done, total=total or None)

        dataset.fetch(progress)
    outcome = "already there" if was_there and not tasks else "fetched and checked"
    stderr.print(f"{name}: {outcome}", markup=False, highlight=False, soft_wrap=True)


def _dataset(what: str, params: Sequence[str]) -> tuple[str, Dataset]:
    """The data set that is meant, and a name for it."""
    from ddbench.errors import DdbenchError
    from ddbench.registry import create
    from ddbench.suite import load_suite

    if what.endswith((".yaml", ".yml")):
        if params:
            raise DdbenchError(f"{what} says the parameters of its data set itself", hint=f"leave out {params[0]}")
        choice = load_suite(Path(what)).dataset
        return choice.label, choice.component
    values = {}
    for param in params:
        name, sign, values[name] = param.partition("=")
        if not sign:
            raise DdbenchError(f"'{param}' is no parameter of a data set", hint="write NAME=VALUE")
    label = f"{what} ({', '.join(params)})" if params else what
    return label, cast("Dataset", create("dataset", what, **values))
