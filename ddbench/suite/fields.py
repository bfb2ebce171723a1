"""The types of a suite file's values."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from ddbench.limits import IMAGES_PER_CLASS, NAME_CHARACTERS
from ddbench.text import one_line

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smh])")
_UNITS = {"s": 1, "m": 60, "h": 3600}
_POOL = re.compile(r"[1-9]\d*(\.\d+)?x")
# Validators that convert a value hide the forms that a file may have; these schemas tell them to editors.
_POOL_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": IMAGES_PER_CLASS},
            {"type": "string", "pattern": f"^{_POOL.pattern}$"},
        ]
    }
)
_SECONDS_SCHEMA = WithJsonSchema(
    {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": f"^{_DURATION.pattern}$"}]}
)


# Of the mappings in a suite file.
STRICT = ConfigDict(extra="forbid", frozen=True, strict=True)


class ComponentUse(BaseModel):
    """A component: its name, or a mapping of ``use`` and the parameters that the suite sets.

    Attributes:
        use: The component's name.
        params: The other keys of the mapping.
    """

    model_config = STRICT

    use: str
    params: dict[str, Any] = {}


def _spread(value: Any) -> Any:
    """Convert ``k-center`` or ``{use: k-center, start: random}`` to name and parameters."""
    if isinstance(value, ComponentUse):
        return value
    if isinstance(value, str):
        return {"use": value}
    if isinstance(value, dict) and "use" in value:
        return {"use": value["use"], "params": {k: v for k, v in value.items() if k != "use"}}
    raise ValueError("give the name of a component, or a mapping with the key 'use'")


Use = Annotated[ComponentUse, BeforeValidator(_spread)]


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


def _one_or_list(of: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [{"type": of}, {"type": "array", "items": {"type": of}}]})


def _pool(value: Any) -> Any:
    if isinstance(value, bool) or not (
        (isinstance(value, int) and 0 < value <= IMAGES_PER_CLASS)
        or (isinstance(value, str) and _POOL.fullmatch(value))
    ):
        limit = f"at most {IMAGES_PER_CLASS:,}"
        raise ValueError(f"give a number of images per class (200; {limit}) or a multiple of the IPC (4x)")
    return value


def _seconds(value: Any) -> Any:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    seconds = float(found[1]) * _UNITS[found[2]] if found else value
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < 10**9:
        raise ValueError("give a number of seconds, or a time such as 90s, 30m or 2h")
    return float(seconds)


def _distinct(values: list[int]) -> list[int]:
    seen: set[int] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{value} occurs twice")
        seen.add(value)
    return values


def _name(value: str) -> str:
    if one_line(value) != value or value != value.strip():
        raise ValueError("give a name without line breaks, tabs and spaces at its ends")
    return value


Name = Annotated[str, Field(min_length=1, max_length=NAME_CHARACTERS), AfterValidator(_name)]


_UNIQUE = {"uniqueItems": True}
SeedList = Annotated[
    list[Annotated[int, Field(ge=0, lt=2**63)]],
    Field(min_length=1, json_schema_extra=_UNIQUE),
    AfterValidator(_distinct),
]
Ipc = Annotated[int, Field(ge=1, le=IMAGES_PER_CLASS)]
IpcList = Annotated[list[Ipc], Field(min_length=1, json_schema_extra=_UNIQUE), AfterValidator(_distinct)]
# A role is the first part of a field's name, as in teacher.logits.
Role = Annotated[str, Field(pattern=r"^[a-z0-9]+([-_][a-z0-9]+)*$")]
Pool = Annotated[int | str, BeforeValidator(_pool), _POOL_SCHEMA]
Seconds = Annotated[float | None, BeforeValidator(_seconds), _SECONDS_SCHEMA]
Names = Annotated[list[str], BeforeValidator(_listed), _one_or_list("string")]
SomeNames = Annotated[list[str], Field(min_length=1), BeforeValidator(_listed), _one_or_list("string")]
IpcNames = Annotated[list[int], BeforeValidator(_listed), _one_or_list("integer")]


def _generator(value: Any) -> Any:
    if isinstance(value, dict):
        raise ValueError("define a generator with parameters under 'generators', and give its name here")
    return value


# The schema of suites adds the names of generators to this format.
GeneratorName = Annotated[str, BeforeValidator(_generator), WithJsonSchema({"type": "string", "format": "generator"})]
