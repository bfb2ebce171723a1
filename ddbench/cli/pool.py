"""``ddbench pool``: make a pool from pictures that were made elsewhere."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ddbench.cli import complete
from ddbench.text import counted

if TYPE_CHECKING:
    from ddbench.api import Dataset
    from ddbench.toolkit import ImportedPictures
    from ddbench.toolkit.pictures import ImportsPictures


def pool(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The pictures, with one folder for each class.")],
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            metavar="SUITE",
            help="The suite whose data set has the classes and the image size.",
            autocompletion=complete.suites,
        ),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The new folder of the pool.")],
) -> None:
    """Make a pool from pictures of any size and format, and print the rows that a suite needs to use it.

    Pictures are turned upright by their EXIF data. The shorter side is resized to the size of the data set's images,
    and the centre square is kept. A picture that cannot be read is named, and then nothing is written.
    """
    from ddbench.errors import DdbenchError
    from ddbench.suite import load_suite

    if os.path.lexists(to):
        raise DdbenchError(f"{to} already exists", hint="choose another folder: --to DIR")
    dataset = load_suite(data).dataset.component
    try:
        made = _make(folder, dataset, Path(os.path.realpath(to)))
    except OSError as error:
        hint = "choose another folder: --to DIR"
        raise DdbenchError(f"cannot write {to}: {error.strerror or error}", hint=hint) from None
    low, high = min(made.counts.values()), max(made.counts.values())
    of_class = f"{low:,}" if low == high else f"{low:,}–{high:,}"
    print(f"{to}: {counted(sum(made.counts.values()), 'picture')} of {dataset.image_size} px, {of_class} a class")
    print(", ".join(f"{name} {count:,}" for name, count in made.counts.items()))
    if made.turned:
        print(f"turned upright by EXIF data: {made.turned:,}")
    if made.ignored:
        print(f"not in the data set, left out: {', '.join(made.ignored)}")
    path = json.dumps(_from_suite(to, data), ensure_ascii=False)
    print(f"Add to {data}:\n\ngenerators:\n  mine: {{use: folder, path: {path}}}\nmethods:")
    print("  Mine: {generator: mine, selector: first}")


def _make(folder: Path, dataset: Dataset, to: Path) -> ImportedPictures:
    """Write the pool, all of it or nothing. Raise DdbenchError after a line for each picture that cannot be used."""
    from ddbench.cli.output import print_notes
    from ddbench.cli.own_images import progress_bar
    from ddbench.errors import DataError
    from ddbench.registry import create
    from ddbench.toolkit.files import new_folder

    pictures: ImportsPictures = cast("Any", create("generator", "folder", path=folder))
    with new_folder(to) as aside:
        with progress_bar() as progress:
            made = pictures.import_pictures(dataset, aside, progress)
        if made.refused:
            print_notes(f"not usable: {line}" for line in made.refused)
            entries = counted(len(made.refused), "entry", "entries")
            raise DataError(f"{folder} has {entries} that cannot be used; nothing is written", hint="mend or move them")
    return made


def _from_suite(to: Path, suite: Path) -> str:
    """Return the path of the pool as the suite must have it: from its folder, or absolute for a shipped suite."""
    real = os.path.realpath(to)
    return os.path.relpath(real, os.path.realpath(suite.parent)) if suite.is_file() else real
