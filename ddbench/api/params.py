"""The base of every component's parameters, and what of them enters a key."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Params(BaseModel):
    """Parameters of a component: typed, immutable, unknown names forbidden.

    Everything enters the component's keys, except fields declared with :func:`unkeyed`.
    """

    # A key is JSON, which has no NaN and no infinity.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def keyed(self) -> dict[str, Any]:
        """The parameters that decide the output, as JSON values, defaults filled in."""
        return self.model_dump(mode="json", exclude=_unkeyed_fields(type(self)))


def unkeyed(default: Any = ..., **kwargs: Any) -> Any:
    """A field that says where something lies, not what it is (a path): it enters no key."""
    return Field(default, json_schema_extra={"keyed": False}, **kwargs)


def _unkeyed_fields(model: type[BaseModel]) -> set[str]:
    return {
        name
        for name, field in model.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("keyed") is False
    }
