"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SuiteFile = Annotated[
    Path, typer.Argument(metavar="SUITE", help="A suite file, or a name that `ddbench suites` lists.")
]
StoreFolder = Annotated[
    Path | None,
    # Square brackets in a help text are markup to rich: a default is told by `show_default`.
    typer.Option(
        "--store",
        metavar="DIR",
        help="Where artifacts and results are kept.",
        show_default="DDBENCH_HOME, else .ddbench",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def store_root(option: Path | None) -> Path:
    """The store's folder: the option, else DDBENCH_HOME, else ``.ddbench`` in the working directory."""
    from ddbench.toolkit.home import store_home

    return (option or store_home()).absolute()
