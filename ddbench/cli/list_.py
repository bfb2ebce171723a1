"""``ddbench list``: list components and protocols."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from inspect import getdoc
from typing import TYPE_CHECKING, Annotated

import typer

from ddbench.cli import complete
from ddbench.cli.options import AsJson

if TYPE_CHECKING:
    from ddbench.api import Component
    from ddbench.cli.json_types import ListRow
    from ddbench.registry import Catalogue

# A note names at most this many components; it counts more.
_NAMED = 4
_OTHER = ("protocol", "observer")


def list_(
    kind: Annotated[
        str | None,
        typer.Argument(
            help="One of dataset, generator, scorer, selector, refiner, student, evaluator, protocol, observer.",
            autocompletion=complete.kinds,
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """List components, protocols and observers with the packages that they come from."""
    from ddbench.api import KINDS
    from ddbench.cli.output import print_json, print_table, stderr
    from ddbench.errors import DdbenchError, did_you_mean
    from ddbench.registry import catalogue

    if kind is not None and kind not in (*KINDS, *_OTHER):
        raise DdbenchError(f"there is no kind '{kind}'", hint=did_you_mean(kind, [*KINDS, *_OTHER]))
    available = catalogue()
    components = [] if kind in _OTHER else available.components(kind)
    rows: list[ListRow] = [
        {"kind": c.info.kind, "name": c.info.name, "summary": c.info.summary, "from": available.owner(c)}
        for c in components
    ]
    if kind in (None, "protocol"):
        rows += [
            {"kind": "protocol", "name": name, "summary": protocol.summary, "from": available.protocol_owner(name)}
            for name, protocol in available.protocols().items()
        ]
    if kind in (None, "observer"):
        rows += [
            {"kind": "observer", "name": cls.name, "summary": (getdoc(cls) or "").partition("\n")[0], "from": owner}
            for cls, owner in available.observers
        ]
    if json:
        print_json(rows)
    else:
        # Docstrings mark code by double backticks.
        print_table(
            ["kind", "name", "summary", "from"], [[str(v).replace("``", "") for v in row.values()] for row in rows]
        )
    for note in _notes(available, components):
        stderr.print(note, markup=False, highlight=False, soft_wrap=True)


def _notes(available: Catalogue, components: Sequence[type[Component]]) -> Iterator[str]:
    """Yield a line for each plug-in or module that is not loaded and for each library that is not installed."""
    from ddbench.registry.libraries import needed_by, remedy

    for plugin in available.plugins.values():
        title = f"plug-in '{plugin.name}' ({plugin.package})"
        if plugin.deferred:
            yield f"{title} {plugin.deferred}: its components are loaded when used"
    yield from available.problems()
    yield from available.empty()
    yield from available.left_out()
    for library, users in needed_by(components).items():
        names = ", ".join(users) if len(users) <= _NAMED else f"{len(users)} components"
        yield f"{library} is not installed: {remedy([library])} (for {names})"
