"""The page of the hooks that a plug-in implements."""

from __future__ import annotations

import inspect

from ddbench.registry import hooks

from .api import signature
from .text import prose


def page() -> str:
    """Return a section for each hook specification."""
    parts = [
        "# Hooks",
        "A plug-in is a module named by an entry point of the group `ddbench`. "
        "It implements these hooks with `@ddbench.hookimpl`. Each hook is optional.",
    ]
    for name, function in inspect.getmembers(hooks, inspect.isfunction):
        if hasattr(function, f"{hooks.GROUP}_spec"):
            parts += [f"## `{name}`", f"```python\n{name}{signature(function)}\n```", prose(function.__doc__)]
    return "\n\n".join(parts)
