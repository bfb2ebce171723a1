"""``ddbench list``: which components and protocols there are."""

from __future__ import annotations

from typing import Annotated

import typer

from ddbench.cli.options import AsJson


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
    rows = [
        {"kind": c.info.kind, "name": c.info.name, "summary": c.info.summary, "from": known.owner(c)}
        for c in known.components(None if kind == "protocol" else kind)
        if kind != "protocol"
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
    for plugin in known.plugins.values():
        if plugin.deferred:
            note = f"plug-in '{plugin.name}' ({plugin.package}) {plugin.deferred}: its components are loaded when used"
            stderr.print(note, markup=False, highlight=False, soft_wrap=True)
        if plugin.error:
            note = f"plug-in '{plugin.name}' ({plugin.package}) cannot be loaded: {plugin.error.splitlines()[-1]}"
            stderr.print(note, markup=False, highlight=False, soft_wrap=True)
