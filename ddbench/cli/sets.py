"""``ddbench sets``: write the distilled sets of a row for other programs and people."""

from __future__ import annotations

from os.path import realpath
from pathlib import Path
from typing import Annotated, Literal

import typer

from ddbench.cli.options import StoreFolder, SuiteFile, store_root
from ddbench.text import counted

Format = Annotated[
    Literal["folder", "hf", "safetensors"] | None,
    typer.Option(
        "--format",
        metavar="FORMAT",
        help="folder: a folder of PNG files for each class. hf: the same for the library datasets. "
        "safetensors: one file, which also holds float images and latents.",
        show_default="folder",
    ),
]
Program = Annotated[
    Literal["minimax", "rded", "ddranking"] | None,
    typer.Option(
        "--for", metavar="PROGRAM", help="Name the PNG files as this program reads them: minimax, rded, ddranking."
    ),
]


def sets(
    suite: SuiteFile,
    method: Annotated[str, typer.Argument(metavar="METHOD", help="The name of a row of the table.")],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The new folder. It may exist if it is empty.")],
    ipc: Annotated[
        int | None,
        typer.Option("--ipc", metavar="N", help="Images per class.", show_default="the row's IPC, if it has one"),
    ] = None,
    format_: Format = None,
    program: Program = None,
    every: Annotated[
        bool, typer.Option("--all", help="Write the set of each seed into a subfolder, instead of the first set.")
    ] = False,
    store: StoreFolder = None,
) -> None:
    """Write a distilled set of a finished row, with a manifest and a card.

    The files are images, labels, soft labels if there are any, and sample ids. Everything is written, or nothing.
    """
    from ddbench.cli.output import print_damage
    from ddbench.errors import DdbenchError
    from ddbench.plan.state import plan_suite
    from ddbench.sets import export_sets

    if program is not None and format_ not in (None, "folder"):
        raise DdbenchError(f"--for {program} writes PNG files, not --format {format_}", hint="leave one of them out")
    folder = Path(realpath(to))
    if folder == Path.cwd():
        raise DdbenchError(f"--to {to} is the working directory", hint="name a new folder")
    resolved, state = plan_suite(suite, store_root(store))
    print_damage(state.corrupt.values())
    name = program or format_ or "folder"
    try:
        count, images = export_sets(resolved, state, method, ipc, folder, name, every=every)
    except OSError as error:
        hint = "choose another folder with --to"
        raise DdbenchError(f"cannot write {to}: {error.strerror or error}", hint=hint) from None
    print(f"{to}: {counted(count, 'set')}, {counted(images, 'image')}, {name}")
