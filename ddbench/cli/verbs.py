"""The verbs of the command line. The module of a verb is imported only if the verb is used."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from ddbench.cli.command import with_plugins
from ddbench.toolkit.lazy import LazyMapping

if TYPE_CHECKING:
    from click import Command

# In the order of ``ddbench --help``.
VERBS: Final = (
    "suites",
    "init",
    "new",
    "run",
    "plan",
    "status",
    "why",
    "list",
    "describe",
    "schema",
    "check",
    "fetch",
    "pool",
    "report",
    "compare",
    "cite",
    "export",
    "merge",
    "submit",
    "sets",
    "figures",
    "gallery",
    "doctor",
    "verify",
    "gc",
)


class VerbGroup(TyperGroup):
    """The group of all verbs."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = LazyMapping({name: name for name in VERBS}, _command)  # type: ignore[assignment]


def verb(name: str) -> Callable[..., None]:
    """Return the function of a verb, with the options that every verb has."""
    name = "list_" if name == "list" else name
    return with_plugins(getattr(import_module(f"ddbench.cli.{name}"), name))


def _command(name: str) -> Command:
    app = typer.Typer(add_completion=False)
    app.command(name)(verb(name))
    return get_command(app)  # type: ignore[return-value]
