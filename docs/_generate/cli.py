"""The page of the verbs, from the typer app."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, get_args, get_type_hints

import typer

from ddbench.cli.verbs import VERBS, verb

from .text import code, prose, table

_HEAD = """`ddbench` alone prints the list of verbs, and `ddbench --version` the version.
Every verb takes `-h` or `--help`.

`ddbench --install-completion` lets your shell complete verbs, options and names: bash, zsh or fish.
`ddbench --show-completion` prints the script that it installs.

A mistake is one line on stderr, and the exit status is 2. On a terminal, the line of the file follows.
With `--json`, a mistake is JSON on stdout: `{"error": {"message": …, "where": …, "hint": …}}`.
Mistakes in the options themselves stay text on stderr."""


def page() -> str:
    """Return a section for each verb, in the order of `ddbench --help`."""
    verbs = [_verb(name, verb(name)) for name in VERBS]
    return "\n\n".join(["# Command line", _HEAD, *verbs])


def _verb(name: str, callback: Callable[..., Any]) -> str:
    hints = get_type_hints(callback, include_extras=True)
    arguments, options = [], []
    for parameter in inspect.signature(callback).parameters.values():
        base, *marks = get_args(hints[parameter.name])
        info = next(mark for mark in marks if hasattr(mark, "param_decls"))
        default = _default(parameter.default, info.show_default)
        if isinstance(info, typer.models.OptionInfo):
            # The first name given to `typer.Option` within `Annotated` is found as its default.
            first = [info.default] if isinstance(info.default, str) else []
            names = [*first, *(info.param_decls or ())] or [f"--{parameter.name.replace('_', '-')}"]
            value = "" if base is bool else f" {info.metavar or parameter.name.upper()}"
            options.append((", ".join(f"`{name}{value}`" for name in names), default, info.help or ""))
        else:
            arguments.append((f"`{info.metavar or parameter.name.upper()}`", default, info.help or ""))
    parts = [f"## `ddbench {name}`", prose(callback.__doc__)]
    parts += [table((title, "default", "meaning"), rows) for title, rows in _titled(arguments, options) if rows]
    return "\n\n".join(parts)


def _titled(arguments: list[Any], options: list[Any]) -> list[tuple[str, list[Any]]]:
    return [("argument", arguments), ("option", options)]


def _default(value: Any, shown: Any) -> str:
    if isinstance(shown, str):
        return shown
    if value is inspect.Parameter.empty:
        return "required"
    return "" if value is None or value is False else code(value)
