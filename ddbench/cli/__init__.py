"""The command line, with one module for each verb."""

from __future__ import annotations

from gc import set_threshold
from typing import Annotated

import typer

from ddbench.cli.verbs import VerbGroup

app = typer.Typer(
    name="ddbench",
    cls=VerbGroup,
    help="A harness for generative dataset distillation: swap one component, hold everything else fixed.",
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


@app.callback()
def _without_verb(
    ctx: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False
) -> None:
    if version:
        from ddbench import __version__

        print(f"ddbench {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        print(ctx.get_help(), end="")


# Plans are millions of objects without cycles: the collector's default takes a sixth of the time to find nothing.
set_threshold(100_000, 50, 100)

__all__ = ["app"]
