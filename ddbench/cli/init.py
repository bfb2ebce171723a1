"""``ddbench init``: copy a shipped suite for editing, or write one for the user's own images."""

from __future__ import annotations

from os.path import lexists
from pathlib import Path
from shlex import quote
from typing import Annotated, Literal

import typer

from ddbench.cli import complete


def init(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[SUITE]", help="A name that `ddbench suites` lists.", autocompletion=complete.suites),
    ] = None,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="FILE", help="Write the suite here.", show_default="SUITE.yaml or DIR.yaml in this folder"
        ),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            "--images", metavar="DIR", help="Write a suite that says which images of each class in this folder to keep."
        ),
    ] = None,
    validation: Annotated[
        Literal["val", "validation", "valid", "test"] | None,
        typer.Option(
            "--validation", metavar="NAME", help="With --images: the folder of validation images, if there are two."
        ),
    ] = None,
) -> None:
    """Copy a shipped suite to a new file for editing, or write one for your own images. Files are never overwritten.

    With --images, every picture is read. Those that cannot be used are listed.
    """
    from ddbench.errors import DdbenchError, SuiteError
    from ddbench.suite.shipped import hint_for, shipped_suites

    if (name is None) == (images is None):
        hint = "write `ddbench init SUITE` or `ddbench init --images DIR`"
        raise DdbenchError("init needs either a suite or a folder of images", hint=hint)
    if images is not None:
        from ddbench.cli.own_images import suite_for_images

        file = to or Path(f"{images.resolve().name or 'photos'}.yaml")
        _check_absent(file)
        _write(file, suite_for_images(images, file, validation))
        return
    shipped = shipped_suites()
    if name not in shipped:
        raise SuiteError(f"there is no shipped suite '{name}'", hint=hint_for(str(name), shipped))
    file = to or Path(shipped[name].name)
    _write(file, _text(shipped[name], shipped))


def _check_absent(file: Path) -> None:
    from ddbench.errors import DdbenchError

    if lexists(file):
        raise DdbenchError(f"{file} already exists", hint="choose another file: --to FILE")


def _write(file: Path, text: str) -> None:
    """Write a new file, and say what to do next. Raise DdbenchError if it exists or cannot be written."""
    from ddbench.errors import DdbenchError

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as copy:
            copy.write(text)
    except FileExistsError:
        raise DdbenchError(f"{file} already exists", hint="choose another file: --to FILE") from None
    except OSError as error:
        raise DdbenchError(f"cannot write {file}: {error.strerror}", hint="choose another file: --to FILE") from None
    typed = quote(str(file))
    print(f"wrote {file}; edit it, then run `ddbench plan {typed}` and `ddbench run {typed}`")


def _text(suite: Path, shipped: dict[str, Path]) -> str:
    """Return the text of a shipped suite, with the path in ``extends`` replaced by the name of a shipped suite."""
    lines = suite.read_text(encoding="utf-8").splitlines(keepends=True)
    names = {path: name for name, path in shipped.items()}
    for i, line in enumerate(lines):
        if line.startswith("extends: "):
            base = suite.parent / line.removeprefix("extends: ").strip()
            lines[i] = f"extends: {names[base]}\n"
    return "".join(lines)
