"""``ddbench figures``: draw what papers draw."""

from __future__ import annotations

from os.path import realpath
from pathlib import Path
from typing import Annotated

import typer

from ddbench.cli.options import SetSize, StoreFolder, store_root
from ddbench.cli.sources import is_export


def figures(
    suite: Annotated[Path, typer.Argument(metavar="SUITE", help="A suite, or a folder written by `ddbench export`.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The new folder. It may exist if it is empty.")],
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="FIGURE",
            help="accuracy, curves, difficulty, quotas, map, pool-size, signals or times; repeat it for several.",
            show_default="all",
        ),
    ] = None,
    ipc: SetSize = None,
    store: StoreFolder = None,
) -> None:
    """Draw the figures of papers from a store, as SVG and PNG.

    A figure whose data is missing is named with the reason.
    """
    from ddbench.cli.output import print_damage
    from ddbench.errors import DdbenchError, did_you_mean
    from ddbench.figures import FIGURES, Source, write_figures
    from ddbench.figures.source import usual_ipc
    from ddbench.plan.state import plan_suite
    from ddbench.report.exported import read_exported
    from ddbench.report.results import results_of
    from ddbench.text import one_line

    for name in only or ():
        if name not in FIGURES:
            raise DdbenchError(f"there is no figure '{name}'", hint=did_you_mean(name, FIGURES))
    if is_export(suite):
        results, stored = read_exported(suite), None
    else:
        resolved, state = plan_suite(suite, store_root(store))
        print_damage(state.corrupt.values())
        results, stored = results_of(resolved, state), (resolved, state)
    source = Source(results, usual_ipc(results) if ipc is None else ipc, stored)
    try:
        drawn, reasons = write_figures(source, dict.fromkeys(only or FIGURES), Path(realpath(to)))
    except OSError as error:
        hint = "choose another folder with --to"
        raise DdbenchError(f"cannot write {to}: {error.strerror or error}", hint=hint) from None
    for name in drawn:
        print(f"{to / name}.svg, .png")
    for name, reason in reasons.items():
        print(f"not drawn: {name}: {reason}")
    for name, reason in source.missing.items():
        print(f"missing: {one_line(name)}: {one_line(reason)}")
