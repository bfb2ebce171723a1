"""``ddbench fetch``: get everything up front, so that no run touches the network or decodes a folder of photographs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ddbench.api import Component


def fetch(
    what: Annotated[str, typer.Argument(help="A data set, or a suite for all that it needs. NAME.yaml is the suite.")],
    params: Annotated[
        list[str] | None,
        typer.Argument(help="Parameters of the data set, such as split=fastai.", metavar="[NAME=VALUE]..."),
    ] = None,
) -> None:
    """Get a data set, or the data and the published weights of a suite; nothing half-written is taken for whole."""
    from ddbench.api import Component
    from ddbench.cli.output import fail, stderr
    from ddbench.errors import DdbenchError

    # Several generators lack the same part: what cannot be had is told once.
    failures: dict[str, DdbenchError] = {}
    said: set[str] = set()
    for label, component in _wanted(what, params or []):
        try:
            lacked = component.missing() is not None
            fetched = _fetch(component) or (lacked and component.missing() is None)
        except* (DdbenchError, OSError) as group:
            for error in group.exceptions:
                failures[str(error)] = error if isinstance(error, DdbenchError) else DdbenchError(f"{label}: {error}")
        else:
            # A component that has nothing to fetch is not worth a line, nor is one that differs in other parameters.
            if fetched or (type(component).fetch is not Component.fetch and label not in said):
                outcome = "fetched and checked" if fetched else "already there"
                stderr.print(f"{label}: {outcome}", markup=False, highlight=False, soft_wrap=True)
                said.add(label)
    for failure in failures.values():
        fail(failure)
    if failures:
        raise typer.Exit(2)


def _is_suite(what: str) -> bool:
    """Return whether a suite is meant. A name that a data set and a shipped suite share means the data set."""
    from ddbench.registry import catalogue
    from ddbench.suite.shipped import shipped_suites

    datasets = {cls.info.name for cls in catalogue().components("dataset")}
    return what.endswith((".yaml", ".yml")) or (what in shipped_suites() and what not in datasets)


def _fetch(component: Component) -> bool:
    """Get what a component lacks. Returns whether there was anything to do."""
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
    """The data set that is meant; of a suite, then every component that its plan uses. Each has a name for people."""
    from ddbench.errors import DdbenchError
    from ddbench.plan.graph import build_graph
    from ddbench.registry import create
    from ddbench.suite import load_suite

    if _is_suite(what):
        if params:
            raise DdbenchError(f"{what} says the parameters of its data set itself", hint=f"leave out {params[0]}")
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
            raise DdbenchError(f"'{param}' is no parameter of a data set", hint="write NAME=VALUE")
    yield f"{what} ({', '.join(params)})" if params else what, create("dataset", what, **values)
