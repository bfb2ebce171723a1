"""Markdown from docstrings, tables and JSON schemas."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel

_ROLE = re.compile(r":(?:class|func|meth|data|attr|mod):`~?([^`]+)`")
_SECTION = re.compile(r"^(Attributes|Args|Raises|Returns):\n((?:    .*\n|\n)+)", re.MULTILINE)
_ENTRY = re.compile(r"^ {4}(\S[^:]*): ", re.MULTILINE)
_TITLES = {"Args": "Arguments"}
_TYPES = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "null": "none",
    "object": "mapping",
}
_LIMITS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}


def entries(doc: str | None, section: str) -> dict[str, str]:
    """Return the entries of a docstring's section, such as `Attributes`, by name."""
    bodies = [body for title, body in _SECTION.findall(inspect.cleandoc(doc or "") + "\n") if title == section]
    return {name: text for body in bodies for names, text in _named(body) for name in names.split(", ")}


def _named(body: str) -> list[tuple[str, str]]:
    _, *parts = _ENTRY.split(body)
    return [(names, sentence(text)) for names, text in zip(parts[::2], parts[1::2], strict=True)]


def sentence(text: str) -> str:
    """Return the text on one line, with a capital, unless it begins with a Greek letter, and a full stop."""
    line = _ROLE.sub(r"`\1`", " ".join(text.split()))
    first = line[:1].upper() if line[:1].isascii() else line[:1]  # Greek letters are symbols
    return f"{first}{line[1:]}{'' if line.endswith(('.', ':')) else '.'}" if line else ""


def prose(doc: str | None) -> str:
    """Return a docstring as markdown; its sections become lists."""

    def listed(match: re.Match[str]) -> str:
        lines = [f"- `{names}`: {text}" for names, text in _named(match[2])] or [f"- {sentence(match[2])}"]
        return "\n".join([f"**{_TITLES.get(match[1], match[1])}**", "", *lines, ""])

    text = _SECTION.sub(listed, inspect.cleandoc(doc or "") + "\n")
    return _ROLE.sub(r"`\1`", text).strip()


def table(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a markdown table."""
    lines = [list(headers), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(value: Any) -> str:
    """Return a value as it is written in YAML or JSON, marked as code."""
    return f"`{json.dumps(value, ensure_ascii=False, default=str)}`"


def kind_of_value(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Return the values that a JSON schema allows as text."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        if name == "ComponentUse":
            return "component"
        target = definitions[name]
        return f"`{name}`" if target.get("type") == "object" else kind_of_value(target, definitions)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(kind_of_value(part, definitions) for part in schema[key]))
    if "enum" in schema:
        return " or ".join(map(code, schema["enum"]))
    if "const" in schema:
        return code(schema["const"])
    if "prefixItems" in schema:
        return f"[{', '.join(kind_of_value(part, definitions) for part in schema['prefixItems'])}]"
    if schema.get("type") == "array":
        return f"list of: {kind_of_value(schema.get('items', {}), definitions)}"
    words = _TYPES.get(schema.get("type", ""), "any value")
    values = next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties"))
    if schema.get("type") == "object" and isinstance(values, dict) and values:
        words = f"mapping to: {kind_of_value(values, definitions)}"
    limits = [f"{text} {schema[key]:g}" for key, text in _LIMITS.items() if key in schema]
    return ", ".join([words, *limits])


def fields(model: type[BaseModel]) -> Iterator[tuple[str, str, str, str]]:
    """Yield name, values, default and description of each field of a pydantic model."""
    schema = model.model_json_schema()
    definitions = schema.get("$defs", {})
    documented: dict[str, str] = {}
    for cls in reversed(model.__mro__):
        documented |= entries(vars(cls).get("__doc__"), "Attributes")
    for name, field in model.model_fields.items():
        words = kind_of_value(schema["properties"].get(name, {}), definitions) if "properties" in schema else ""
        default = "required" if field.is_required() else _default(field.get_default(call_default_factory=True))
        yield name, words, default, documented.get(name) or sentence(field.description or "")


def _default(value: Any) -> str:
    return "none" if value is None else code(_plain(value))


def _plain(value: Any) -> Any:
    """Return a default as a suite would write it."""
    if isinstance(value, BaseModel):
        values = value.model_dump(mode="json", exclude_defaults=True)
        return values["use"] if set(values) == {"use"} else value.model_dump(mode="json")
    return [_plain(part) for part in value] if isinstance(value, list | tuple) else value


def models_in(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Yield a model and the models of its fields, each once."""
    seen: dict[type[BaseModel], None] = {}
    waiting: list[Any] = [model]
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, type) and issubclass(part, BaseModel) and part not in seen:
            seen[part] = None
            waiting += [field.annotation for field in part.model_fields.values()]
        waiting += get_args(part)
    yield from seen
