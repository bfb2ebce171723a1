"""``ddbench gallery``: show what each method chose."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ddbench.cli.options import SetSize, StoreFolder, SuiteFile, store_root


def gallery(
    suite: SuiteFile,
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method", metavar="METHOD", help="A row of the table; repeat it for several.", show_default="all"
        ),
    ] = None,
    class_: Annotated[
        list[str] | None,
        typer.Option("--class", metavar="CLASS", help="A class; repeat it for several.", show_default="the first 20"),
    ] = None,
    ipc: SetSize = None,
    to: Annotated[
        Path, typer.Option("--to", metavar="FILE", help="The file, whose name ends in .html or .png.")
    ] = Path("gallery.html"),
    store: StoreFolder = None,
) -> None:
    """Show what each method chose and the pool that it chose from, as HTML or PNG.

    A row that is not made yet is named. Images that several rows have are marked.
    """
    from ddbench.cli.output import print_damage
    from ddbench.errors import DdbenchError
    from ddbench.figures.source import usual_ipc
    from ddbench.gallery import collect, to_html, to_png
    from ddbench.plan.state import plan_suite
    from ddbench.report.results import results_of
    from ddbench.text import counted, one_line
    from ddbench.toolkit.files import write_chosen

    if to.suffix not in (".html", ".png"):
        raise DdbenchError(f"--to {to} ends in neither .html nor .png", hint="name an HTML or a PNG file")
    resolved, state = plan_suite(suite, store_root(store))
    print_damage(state.corrupt.values())
    size = usual_ipc(results_of(resolved, state)) if ipc is None else ipc
    shown = collect(resolved, state, size, method or (), class_ or ())
    data = to_html(shown).encode() if to.suffix == ".html" else to_png(shown)
    try:
        write_chosen(to, data)
    except OSError as error:
        raise DdbenchError(
            f"cannot write {to}: {error.strerror or error}", hint="choose another file with --to"
        ) from None
    rows = sum(strip.number > 0 for strip in shown.strips)
    print(f"{to}: {counted(rows, 'row')}, {counted(len(shown.classes), 'class', 'classes')}, IPC {size}")
    for strip in shown.strips:
        if strip.missing:
            print(f"missing: {one_line(strip.name)}: {one_line(strip.missing)}")
