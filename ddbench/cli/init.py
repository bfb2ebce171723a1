"""``ddbench init``: copy a shipped suite for editing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ddbench.cli import complete


def init(
    name: Annotated[
        str,
        typer.Argument(metavar="SUITE", help="A name that `ddbench suites` lists.", autocompletion=complete.suites),
    ],
    to: Annotated[
        Path | None,
        typer.Option("--to", metavar="FILE", help="Write the copy here.", show_default="SUITE.yaml in this folder"),
    ] = None,
) -> None:
    """Copy a shipped suite to a new file for editing. Existing files are never overwritten."""
    from ddbench.errors import DdbenchError, SuiteError
    from ddbench.suite.shipped import hint_for, shipped_suites

    shipped = shipped_suites()
    if name not in shipped:
        raise SuiteError(f"there is no shipped suite '{name}'", hint=hint_for(name, shipped))
    file = to or Path(shipped[name].name)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as copy:
            copy.write(_text(shipped[name], shipped))
    except FileExistsError:
        raise DdbenchError(f"{file} already exists", hint="choose another file: --to FILE") from None
    except OSError as error:
        raise DdbenchError(f"cannot write {file}: {error.strerror}", hint="choose another file: --to FILE") from None
    print(f"wrote {file}; edit it, then run `ddbench plan {file}` and `ddbench run {file}`")


def _text(suite: Path, shipped: dict[str, Path]) -> str:
    """Return the text of a shipped suite, with the path in ``extends`` replaced by the name of a shipped suite."""
    lines = suite.read_text(encoding="utf-8").splitlines(keepends=True)
    names = {path: name for name, path in shipped.items()}
    for i, line in enumerate(lines):
        if line.startswith("extends: "):
            base = suite.parent / line.removeprefix("extends: ").strip()
            lines[i] = f"extends: {names[base]}\n"
    return "".join(lines)
