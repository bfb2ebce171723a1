"""Options that several verbs share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ddbench.cli import complete

SuiteFile = Annotated[
    Path,
    typer.Argument(
        metavar="SUITE", help="A suite file, or a name that `ddbench suites` lists.", autocompletion=complete.suites
    ),
]
StoreFolder = Annotated[
    Path | None,
    # rich treats square brackets in a help text as markup, so `show_default` gives the default.
    typer.Option(
        "--store",
        metavar="DIR",
        help="The folder of artifacts and results.",
        show_default="DDBENCH_HOME, else .ddbench",
    ),
]
Quick = Annotated[bool, typer.Option("--quick", help="Only the first distilled set of each row, trained once.")]
SetSize = Annotated[
    int | None,
    typer.Option(
        "--ipc", metavar="N", help="Images per class.", show_default="the IPC of most rows, the highest of equals"
    ),
]
ResultFolders = Annotated[
    list[Path] | None,
    typer.Option(
        "--results",
        metavar="DIR",
        help="Use the exported results in this folder, or in its subfolders, as if they were in the store. Repeatable.",
    ),
]
Observers = Annotated[
    list[str] | None,
    typer.Option("--observer", metavar="NAME=TARGET", help="Report the run to it, as in jsonl=FILE. Repeatable."),
]
Full = Annotated[
    bool, typer.Option("--full", help="On a terminal, print the whole page: all numbers, protocols and origins.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

AcceptDrift = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-drift",
        metavar="NAME",
        help="Use stored outputs of this component although its code has changed. Repeatable.",
    ),
]
Only = Annotated[
    str | None,
    typer.Option(
        "--only",
        metavar="EXPR",
        help="Run the cells that this expression chooses, such as 'SAS or herding' or 'random and ipc=10'. "
        "Its words are names of rows and students, or parts of them.",
    ),
]
Against = Annotated[
    str | None,
    typer.Option(
        "--against", metavar="EXPR", help="Print the verdict on each row that runs against the rows chosen so."
    ),
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help="Train at most N cells that have no result.")
]


def store_root(option: Path | None) -> Path:
    """Return the store's folder: the option, DDBENCH_HOME, or ``.ddbench`` in the working directory."""
    from ddbench.toolkit.home import store_home

    return (option or store_home()).absolute()
