"""``ddbench describe``: show one component or protocol."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from json import dumps as to_json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ddbench.api.component import Component
from ddbench.cli import complete
from ddbench.cli.options import AsJson

if TYPE_CHECKING:
    from ddbench.cli.json_types import ComponentFacts
    from ddbench.registry import Catalogue


def describe(
    name: Annotated[
        str,
        typer.Argument(
            help="A component or protocol, such as k-center, selector/k-center or ./mine@1.yaml.",
            autocompletion=complete.components,
        ),
    ],
    json: AsJson = False,
) -> None:
    """Describe a component or protocol: summary, parameters and source."""
    from ddbench.cli.output import print_json
    from ddbench.errors import DdbenchError, closest
    from ddbench.registry import catalogue

    available = catalogue()
    if "@" in name or name.endswith((".yaml", ".yml")):
        found: list[Mapping[str, Any]] = [_protocol(name, available)]
    else:
        kind, _, short = name.rpartition("/")
        classes = [c for c in available.components(kind or None) if c.info.name == short]
        if not classes:
            available.load_all()
            classes = [c for c in available.components(kind or None) if c.info.name == short]
        if not classes:
            near = closest(short, {c.info.name for c in available.components()})
            hint = f"did you mean '{near}'?" if near else "see `ddbench list`, and `ddbench doctor` for plug-ins"
            raise DdbenchError(f"there is no component '{name}'", hint=hint)
        found = [_facts(cls, available.owner(cls)) for cls in classes]
    if json:
        print_json(found[0] if len(found) == 1 else found)
        return
    for facts in found:
        _print(facts)


def _protocol(name: str, available: Catalogue) -> dict[str, Any]:
    """Return the fields of a protocol, by its id or its file, and for a file what it changes."""
    from ddbench.protocol.difference import difference
    from ddbench.protocol.extend import resolve, with_files
    from ddbench.suite.made_with import as_text
    from ddbench.yaml_source import YamlSource

    given = with_files(YamlSource("", {"protocol": name}, {}), Path(), ("protocol",))
    found = resolve(given.values["protocol"], lambda path: given.place(("protocol", *path)), available.protocol)
    changes = {"changes": difference(found.protocol, found.base)} if found.base not in (None, found.protocol) else {}
    students = {"students": [as_text(made) for made in found.protocol.students]} if found.protocol.students else {}
    return {"summary": found.protocol.summary, **changes, **found.protocol.model_dump(mode="json"), **students}


def _facts(cls: type[Component], owner: str) -> ComponentFacts:
    schema = cls.Params.model_json_schema()
    return {
        "kind": cls.info.kind,
        "name": cls.info.name,
        "version": cls.info.version,
        "from": owner,
        "paper": cls.info.paper,
        "description": inspect.cleandoc(cls.__doc__ or cls.info.summary),
        "params": schema.get("properties", {}),
        "required": schema.get("required", []),
    }


def _values(schema: dict[str, Any]) -> str:
    """Describe the allowed values of a parameter from its JSON schema."""
    if "anyOf" in schema:
        return " | ".join(map(_values, schema["anyOf"]))
    if "prefixItems" in schema:
        return f"[{', '.join(map(_values, schema['prefixItems']))}]"
    if "items" in schema:
        return f"[{_values(schema['items'])}, …]"
    if "enum" in schema:
        return " | ".join(map(to_json, schema["enum"]))
    return to_json(schema["const"]) if "const" in schema else str(schema.get("type", "any"))


def _print(facts: Mapping[str, Any]) -> None:
    if "params" not in facts:
        for field, value in facts.items():
            print(f"{field}: {value if isinstance(value, str) else to_json(value, ensure_ascii=False)}")
        return
    print(f"{facts['kind']} {facts['name']}, version {facts['version']}, from {facts['from']}")
    if facts["paper"]:
        print(f"source: {facts['paper']}")
    print(f"\n{facts['description']}\n")
    for field, schema in facts["params"].items():
        default = (
            "required"
            if field in facts["required"]
            else f"default {to_json(schema.get('default'), ensure_ascii=False)}"
        )
        print(f"  {field}: {_values(schema)}, {default}")
        if "description" in schema:
            print(f"      {schema['description']}")
