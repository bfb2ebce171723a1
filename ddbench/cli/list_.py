"""``ddbench list``: which components and protocols there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ddbench.cli.options import AsJson

if TYPE_CHECKING:
    from ddbench.api import Component
    from ddbench.registry import Catalogue

# A note names at most so many components.
_NAMED = 4


def list_(
    kind: Annotated[
        str | None, typer.Argument(help="dataset, generator, scorer, selector, refiner, student, evaluator, protocol.")
    ] = None,
    json: AsJson = False,
) -> None:
    """List components and protocols, with the package that each comes from."""
    from ddbench.api import KINDS
    from ddbench.cli.output import print_json, print_table, stderr
    from ddbench.errors import DdbenchError, did_you_mean
    from ddbench.registry import catalogue

    if kind is not None and kind not in (*KINDS, "protocol"):
        raise DdbenchError(f"there is no kind '{kind}'", hint=did_you_mean(kind, [*KINDS, "protocol"]))
    known = catalogue()
    components = [] if kind == "protocol" else known.components(kind)
    rows = [
        {"kind": c.info.kind, "name": c.info.name, "summary": c.info.summary, "from": known.owner(c)}
        for c in components
    ]
    if kind in (None, "protocol"):
        rows += [
            {"kind": "protocol", "name": name, "summary": protocol.summary, "from": known.protocol_owner(name)}
            for name, protocol in known.protocols().items()
        ]
    if json:
        print_json(rows)
    else:
        print_table(["kind", "name", "summary", "from"], [list(row.values()) for row in rows])
    for note in _notes(known, components):
        stderr.print(note, markup=False, highlight=False, soft_wrap=True)


def _notes(known: Catalogue, components: Sequence[type[Component]]) -> Iterator[str]:
    """Yield a line for each plug-in, module and component that cannot be used as it is here."""
    from ddbench.registry.libraries import needed_by, remedy

    for plugin in known.plugins.values():
        called = f"plug-in '{plugin.name}' ({plugin.package})"
        if plugin.deferred:
            yield f"{called} {plugin.deferred}: its components are loaded when used"
        if plugin.error:
            yield f"{called} cannot be loaded: {plugin.error.splitlines()[-1]}"
    yield from known.left_out()
    for library, users in needed_by(components).items():
        who = ", ".join(users) if len(users) <= _NAMED else f"{len(users)} components"
        yield f"{library} is not installed: {remedy([library])} (for {who})"
