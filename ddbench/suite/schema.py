"""The JSON schema of suite files, with the components of a catalogue, for editors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, Final

from pydantic.errors import PydanticInvalidForJsonSchema

from ddbench.api import KINDS
from ddbench.suite.model import SuiteModel

if TYPE_CHECKING:
    from ddbench.api import Component
    from ddbench.registry import Catalogue

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_DEFS: Final = "#/$defs/"
_ATTRIBUTE: Final = re.compile(r"^    (\w+): (.*(?:\n {8}.*)*)", re.MULTILINE)
_PROTOCOL_FILE: Final = r"^(\.{1,2}/|/|~)|\.ya?ml$"


def suite_schema(available: Catalogue) -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of suites that use components of ``available``."""
    schema = SuiteModel.model_json_schema()
    models = schema.pop("$defs")
    for model in (schema, *models.values()):
        _describe(model)
    labels = {"anyOf": [{"enum": models["Labels"]["properties"]["use"]["enum"]}, {"$ref": f"{_DEFS}Labels"}]}
    pooled = {"anyOf": [{"$ref": f"{_DEFS}selector"}, {"$ref": f"{_DEFS}PooledSelector"}]}
    found = _Writer({"Labels": labels, "PooledSelector": pooled}).value({"schema": schema, **models}, "")
    whole, required = found.pop("schema"), schema["required"]
    del found["ComponentUse"], whole["required"]
    whole["properties"]["extends"] = {"type": "string", "description": "A suite file, by its path from this one."}
    whole |= {"if": {"required": ["extends"]}, "else": {"required": required}}
    for kind in KINDS:
        found |= _components(kind, available.components(kind))
    names = [cls.info.name for cls in available.components("generator")]
    # A suite may name variants of generators.
    found["generator-name"] = {"anyOf": [{"enum": names}, {"type": "string"}]}
    found["protocol"] = _protocol(available)
    return {"$schema": _DIALECT, "title": "ddbench suite", **whole, "$defs": found}


class _Writer:
    """A converter of pydantic's schema to one of the forms that a file may have.

    Attributes:
        forms: the schemas in place of references to models, by model.
    """

    def __init__(self, forms: dict[str, dict[str, Any]]) -> None:
        self.forms = forms

    def value(self, node: Any, key: str) -> Any:
        """Return a part of the schema; ``key`` is the key of suites that it belongs to."""
        if isinstance(node, list):
            return [self.value(item, key) for item in node]
        if not isinstance(node, dict):
            return node
        made = {k: self.value(v, key) for k, v in node.items() if k not in ("default", "title", "properties")}
        if "properties" in node:
            made["properties"] = {name: self.value(inner, name) for name, inner in node["properties"].items()}
        if "patternProperties" in made:
            made["additionalProperties"] = False
        model = str(made.get("$ref", "")).removeprefix(_DEFS)
        if model == "ComponentUse":
            made["$ref"] = f"{_DEFS}{key.removesuffix('s')}"
        elif model in self.forms:
            del made["$ref"]
            made |= self.forms[model]
        match made.pop("format", None):
            case "generator":
                del made["type"]
                made["$ref"] = f"{_DEFS}generator-name"
            case "protocol":
                del made["anyOf"]
                made["$ref"] = f"{_DEFS}protocol"
        return made


def _describe(model: dict[str, Any]) -> None:
    """Give the description of each attribute in a docstring to its property."""
    text = model["description"]
    model["description"] = text.partition("\n\n")[0]
    for name, about in _ATTRIBUTE.findall(text):
        if name in model["properties"]:
            model["properties"][name]["description"] = " ".join(about.split())


def _components(kind: str, classes: Iterable[type[Component]]) -> dict[str, Any]:
    """Return the schema of a use of a component of one kind, and those of its parameters' models, by name."""
    plain: list[str] = []
    mappings: list[dict[str, Any]] = []
    models: dict[str, Any] = {}
    for cls in classes:
        name = cls.info.name
        prefix = f"{kind}-{name}-"
        try:
            params = cls.Params.model_json_schema(ref_template=f"{_DEFS}{prefix}{{model}}")
        except PydanticInvalidForJsonSchema:  # a type of a plug-in that has no schema
            params = {"additionalProperties": True}
        models |= {f"{prefix}{model}": inner for model, inner in params.get("$defs", {}).items()}
        required = params.get("required", [])
        if not required:
            plain.append(name)
        mappings.append(
            {
                "type": "object",
                "description": cleandoc(cls.__doc__ or cls.info.summary),
                "properties": {"use": {"const": name}, **params.get("properties", {})},
                "required": ["use", *required],
                "additionalProperties": params["additionalProperties"],
            }
        )
    return {kind: {"anyOf": [{"enum": plain}, *mappings]}, **models}


def _protocol(available: Catalogue) -> dict[str, Any]:
    """Return the schema of a protocol: its id, the path of its file, or a mapping."""
    from ddbench.protocol.extend import EPOCHS
    from ddbench.protocol.protocol import Protocol

    fields = ["extends", "name", EPOCHS, *(name for name in Protocol.model_fields if name != "id")]
    own = {
        "type": "object",
        "properties": dict.fromkeys(fields, True),
        "additionalProperties": False,
        "anyOf": [{"required": ["extends"]}, {"required": ["name"]}],
    }
    return {"anyOf": [{"enum": list(available.protocols())}, {"type": "string", "pattern": _PROTOCOL_FILE}, own]}
