"""The option that every verb has."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

_NAME = "plugin"
_FILES = Annotated[
    list[Path] | None,
    typer.Option("--plugin", metavar="FILE", help="Run this Python file and use its components. Repeatable."),
]


def with_plugins(verb: Callable[..., None]) -> Callable[..., None]:
    """Return a verb with the option ``--plugin``, whose files are loaded first."""
    hints = get_type_hints(verb, include_extras=True)
    own = [parameter.replace(annotation=hints[name]) for name, parameter in inspect.signature(verb).parameters.items()]
    files = inspect.Parameter(_NAME, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_FILES)

    @wraps(verb)
    def run(**values: Any) -> None:
        if paths := values.pop(_NAME):
            from ddbench.registry.catalogue import choose_files

            choose_files(paths)
        verb(**values)

    run.__signature__ = inspect.Signature([*own, files])  # type: ignore[attr-defined]
    run.__annotations__ = {**hints, _NAME: _FILES}
    return run
