"""The base of every component's parameters, and what of them enters a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator


class Params(BaseModel):
    """Parameters of a component: typed, immutable, unknown names forbidden.

    Everything enters the component's keys, except fields declared with :func:`unkeyed`.

    Attributes:
        renamed: for each name that a parameter had earlier, the advice for those who still write it.
    """

    renamed: ClassVar[Mapping[str, str]] = {}

    # A key is JSON, which has no NaN and no infinity.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_no_booleans(cls, value: Any, info: ValidationInfo) -> Any:
        """To pydantic ``true`` is 1: a guidance of ``true`` would be none, and nobody would be told."""
        if _holds_boolean(value):
            types = list(_types(cls.model_fields[info.field_name or ""].annotation))
            takes = any(t is bool or isinstance(t, bool | type(BaseModel)) for t in types)
            if not takes and (int in types or float in types):
                raise ValueError("input should be a number")
        return value

    def keyed(self) -> dict[str, Any]:
        """The parameters that decide the output, as JSON values, defaults filled in."""
        return self.model_dump(mode="json", exclude=_unkeyed_fields(type(self)))


def unkeyed(default: Any = ..., **kwargs: Any) -> Any:
    """A field that says where something lies, not what it is (a path): it enters no key."""
    return Field(default, json_schema_extra={"keyed": False}, **kwargs)


def _holds_boolean(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_holds_boolean, value))
    return isinstance(value, bool) or (isinstance(value, dict) and any(map(_holds_boolean, value.values())))


def _types(annotation: Any) -> Iterator[Any]:
    """A type and those that it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _types(part)


def _unkeyed_fields(model: type[BaseModel]) -> set[str]:
    return {
        name
        for name, field in model.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("keyed") is False
    }
