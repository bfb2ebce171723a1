"""The page of the public names of `ddbench`."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import ddbench

from .text import prose

# Public names that are neither classes nor functions have no docstring of their own.
_OBJECTS = {
    "FieldName": (
        "FieldName = Annotated[str, ...]",
        "The type of a parameter that names a field of the pool, such as `teacher.embedding`. "
        "A selector needs the fields that such parameters name.",
    ),
    "Progress": (
        "Progress = Callable[[str, int, int], None]",
        "The type of a callback that `fetch` calls with what is fetched, the bytes so far and the total bytes. "
        "A total of 0 means that the size is unknown.",
    ),
    "hookimpl": ("@hookimpl", "The marker of hook implementations, from pluggy."),
}


def page() -> str:
    """Return a section for each name in `ddbench.__all__`."""
    parts = ["# Python API", "Every public name. Import them from `ddbench`."]
    return "\n\n".join([*parts, *(_name(name, getattr(ddbench, name)) for name in ddbench.__all__)])


def _name(name: str, value: Any) -> str:
    if not isinstance(value, type):
        function = inspect.unwrap(value)
        shown = f"{name}{signature(function)}" if inspect.isfunction(function) else _OBJECTS[name][0]
        doc = function.__doc__ if inspect.isfunction(function) else _OBJECTS[name][1]
        return "\n\n".join([f"## `{name}`", f"```python\n{shown}\n```", prose(doc)])
    bases = [base.__name__ for base in value.__bases__ if base is not object]
    shown = f"class {name}" + (f"({', '.join(bases)})" if bases else "")
    if dataclasses.is_dataclass(value):
        shown = "\n".join([f"{shown}:", *(f"    {field}" for field in _fields(value))])
    return "\n\n".join([f"## `{name}`", f"```python\n{shown}\n```", prose(value.__doc__), *_members(value)])


def _fields(cls: Any) -> list[str]:
    return [f"{field.name}: {field.type}" for field in dataclasses.fields(cls)]


def _members(cls: type) -> list[str]:
    """Return the public methods and properties that the class itself defines."""
    found = []
    for name, value in vars(cls).items():
        if name.startswith("_") or isinstance(value, type):
            continue
        if isinstance(value, property) or hasattr(value, "attrname"):
            doc = (value.fget if isinstance(value, property) else value.func).__doc__  # type: ignore[attr-defined]
            found.append(f"### `{cls.__name__}.{name}`\n\n{prose(doc)}")
        elif inspect.isroutine(value):
            function: Any = getattr(value, "__func__", value)
            found.append(f"### `{cls.__name__}.{name}{signature(function)}`\n\n{prose(function.__doc__)}")
    return found


def signature(function: Callable[..., Any]) -> str:
    """Return a function's signature as it stands in its source."""
    found = inspect.signature(function)
    shown, star = [], False
    for parameter in found.parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not star:
            shown.append("*")
            star = True
        star = star or parameter.kind is parameter.VAR_POSITIONAL
        mark = "*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        mark = "**" if parameter.kind is parameter.VAR_KEYWORD else mark
        kind = "" if parameter.annotation is parameter.empty else f": {parameter.annotation}"
        default = "" if parameter.default is parameter.empty else f" = {_default(parameter.default)}"
        shown.append(f"{mark}{parameter.name}{kind}{default}")
    returned = "" if found.return_annotation is found.empty else f" -> {found.return_annotation}"
    return f"({', '.join(shown)}){returned}"


def _default(value: Any) -> str:
    return "..." if value is ... else repr(value)
