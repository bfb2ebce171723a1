"""The page of the protocols, from their files."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ddbench_components

from ddbench.registry import catalogue

from .text import code, fields, models_in, table


def page() -> str:
    """Return a section for each protocol, then the meaning of each field."""
    files = sorted(ddbench_components.ddbench_protocols(), key=lambda path: path.stem)
    model = type(catalogue().protocol(files[0].stem))
    parts = ["# Protocols", "A protocol defines how a student is trained and measured. A version never changes."]
    parts.append("[Your own](../guides/your-protocol.md) may extend one of these.")
    parts += [_protocol(path) for path in files]
    parts += ["## Fields", "Sections that a protocol leaves out are not applied."]
    for part in models_in(model):
        rows = [(f"`{name}`", *rest) for name, *rest in fields(part)]
        summary = inspect.cleandoc(part.__doc__ or "").partition("\n\nAttributes:")[0]
        parts += [f"### `{part.__name__}`", summary]
        if rows:
            parts.append(table(("field", "value", "default", "meaning"), rows))
    return "\n\n".join(parts)


def _protocol(path: Path) -> str:
    protocol = catalogue().protocol(path.stem)
    lines = path.read_text(encoding="utf-8").splitlines()
    remark = " ".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))
    values = {name: value for name, value in protocol.model_dump(mode="json").items() if name != "id"}
    rows = [(f"`{name}`", code(value)) for name, value in _flat(values)]
    return "\n\n".join([f"## {path.stem}", protocol.summary, remark, table(("field", "value"), rows)])


def _flat(values: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each field by its path; a table by IPC is one field."""
    for name, value in values.items():
        if isinstance(value, dict) and value and not all(key.isdigit() for key in value):
            yield from _flat(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value
