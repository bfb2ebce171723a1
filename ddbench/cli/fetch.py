"""``ddbench fetch``: download and prepare data and weights, so that runs need no network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ddbench.api import Component


def fetch(
    what: Annotated[
        str,
        typer.Argument(
            help="A data set, or a suite, to fetch everything that it needs. If both have one name, write NAME.yaml "
            "for the suite."
        ),
    ],
    params: Annotated[
        list[str] | None,
        typer.Argument(help="Parameters of the data set, such as split=fastai.", metavar="[NAME=VALUE]..."),
    ] = None,
) -> None:
    """Download a data set, or the data and the published weights of a suite.

    Repeat the command to resume an interrupted download. All files are checked.
    """
    from ddbench.api import Component
    from ddbench.cli.output import fail, stderr
    from ddbench.errors import DdbenchError

    # Several generators may need the same file: report each failure once.
    failures: dict[str, DdbenchError] = {}
    reported: set[str] = set()
    for label, component in _wanted(what, params or []):
        try:
            incomplete = component.missing() is not None
            fetched = _fetch(component) or (incomplete and component.missing() is None)
        except* (DdbenchError, OSError) as group:
            for error in group.exceptions:
                failures[str(error)] = error if isinstance(error, DdbenchError) else DdbenchError(f"{label}: {error}")
        else:
            # Print no line for a component that never fetches anything, and one line for each label.
            if fetched or (type(component).fetch is not Component.fetch and label not in reported):
                outcome = "fetched and checked" if fetched else "already complete"
                stderr.print(f"{label}: {outcome}", markup=False, highlight=False, soft_wrap=True)
                reported.add(label)
    for failure in failures.values():
        fail(failure)
    if failures:
        raise typer.Exit(2)


def _is_suite(what: str) -> bool:
    """Return True if ``what`` is a suite. A name that a data set and a shipped suite share means the data set."""
    from ddbench.registry import catalogue
    from ddbench.suite.shipped import shipped_suites

    datasets = {cls.info.name for cls in catalogue().components("dataset")}
    return what.endswith((".yaml", ".yml")) or (what in shipped_suites() and what not in datasets)


def _fetch(component: Component) -> bool:
    """Fetch what a component needs, with progress bars. Return True if a transfer was shown."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn

    from ddbench.cli.output import stderr

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

        component.fetch(progress)
    return bool(tasks)


def _wanted(what: str, params: Sequence[str]) -> Iterator[tuple[str, Component]]:
    """Yield each component to fetch with a name for messages: a data set, or every component of a suite's plan."""
    from ddbench.errors import DdbenchError
    from ddbench.plan.graph import build_graph
    from ddbench.registry import create
    from ddbench.suite import load_suite

    if _is_suite(what):
        if params:
            raise DdbenchError(f"suite {what} sets the parameters of its data set", hint=f"remove {params[0]}")
        suite = load_suite(what)
        dataset = suite.dataset.component
        yield suite.dataset.label, dataset
        nodes = build_graph(suite).nodes.values()
        components = {id(ref.component): ref.component for node in nodes for ref in node.uses.values()}
        yield from ((c.label(), c) for c in components.values() if c is not dataset)
        return
    values = {}
    for param in params:
        name, sign, values[name] = param.partition("=")
        if not sign:
            raise DdbenchError(f"'{param}' is not a parameter", hint="write NAME=VALUE")
    yield f"{what} ({', '.join(params)})" if params else what, create("dataset", what, **values)
