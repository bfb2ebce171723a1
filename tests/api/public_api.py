"""The public names of ddbench, with their signatures, methods and attributes, as text that no version changes."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

MODULES = ("ddbench", "ddbench.toolkit", "ddbench.testing")
_PLAIN = str | int | float | tuple | None
FILE = Path(__file__).with_name("public_api.txt")


def listing() -> str:
    """Return a line for each public name, and below a class a line for each of its own public members."""
    lines: list[str] = []
    for module in MODULES:
        found = importlib.import_module(module)
        for name in sorted(getattr(found, "__all__", ())):
            lines += _described(f"{module}.{name}", getattr(found, name))
    return "\n".join(lines) + "\n"


def _described(name: str, value: Any) -> Iterator[str]:
    if inspect.isclass(value):
        bases = ", ".join(base.__name__ for base in value.__bases__ if base is not object)
        yield f"class {name}({bases})"
        yield from (f"    {line}" for line in sorted(_members(value)))
    elif inspect.isfunction(value):
        yield f"def {name}{_signature(value)}"
    else:
        yield f"{name}: {type(value).__name__}"


def _members(cls: type) -> Iterator[str]:
    """Yield what a class of ddbench itself declares; what pydantic and dataclasses add depends on their versions."""
    annotations = {n: a for n, a in inspect.get_annotations(cls).items() if not n.startswith("_")}
    for name, annotation in annotations.items():
        value = vars(cls).get(name, ...)
        default = f" = {value!r}" if isinstance(value, _PLAIN) else ""
        yield f"{name}: {annotation}{default}"
    for name, value in vars(cls).items():
        if name in annotations or (name.startswith("_") and name != "__init__"):
            continue
        if isinstance(value, property | cached_property):
            getter = value.fget if isinstance(value, property) else value.func
            yield f"property {name}{_signature(getter)}"
        elif isinstance(value, classmethod | staticmethod):
            yield f"{type(value).__name__} {name}{_signature(value.__func__)}"
        elif inspect.isfunction(value) and value.__code__.co_filename == inspect.getsourcefile(cls):
            yield f"def {name}{_signature(value)}"
        elif inspect.isclass(value) and value.__qualname__.startswith(f"{cls.__qualname__}."):
            yield f"class {name}"
        elif isinstance(value, _PLAIN):
            yield f"{name} = {value!r}"


def _signature(function: Any) -> str:
    """Return a signature with its annotations as they are written, and not as some Python prints them."""
    signature = inspect.signature(function)
    parts: list[str] = []
    for p in signature.parameters.values():
        if p.kind is p.KEYWORD_ONLY and not any(part.startswith("*") for part in parts):
            parts.append("*")
        stars = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        annotation = "" if p.annotation is p.empty else f": {p.annotation}"
        default = "" if p.default is p.empty else f" = {p.default!r}"
        parts.append(f"{stars}{p.name}{annotation}{default}")
    returned = "" if signature.return_annotation is signature.empty else f" -> {signature.return_annotation}"
    return f"({', '.join(parts)}){returned}"
