"""The base class of every component's parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

_READ: Final = "read from the pool"
# A parameter of this type names a field of the pool that its selector reads.
FieldName: TypeAlias = Annotated[str, Field(description="any field of a scorer, as `ROLE.name`"), _READ]


class Params(BaseModel):
    """Parameters of a component: typed and immutable. Unknown names are errors.

    All fields enter the component's keys, except those declared with :func:`unkeyed`.

    Attributes:
        renamed: hints by the earlier names of parameters.
    """

    renamed: ClassVar[Mapping[str, str]] = {}

    # A key is JSON, which has no NaN and no infinity. A deferred build makes a start faster.
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Build the model of a plug-in at once, so that an error names the line of its class."""
        if not cls.__module__.startswith(("ddbench.", "ddbench_components.")):
            cls.model_rebuild(raise_errors=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_no_booleans(cls, value: Any, info: ValidationInfo) -> Any:
        """Reject a boolean in place of a number, which pydantic would read as 0 or 1."""
        if _holds_boolean(value):
            types = list(_types(cls.model_fields[info.field_name or ""].annotation))
            accepted = any(t is bool or isinstance(t, bool | type(BaseModel)) for t in types)
            if not accepted and (int in types or float in types):
                raise ValueError("input should be a number")
        return value

    def keyed(self) -> dict[str, Any]:
        """Return the parameters that decide the output, with defaults, as JSON values."""
        return self.model_dump(mode="json", exclude=_unkeyed_fields(type(self)))

    @property
    def field_names(self) -> tuple[str, ...]:
        """Return the values of the parameters of type ``FieldName``."""
        return tuple(getattr(self, name) for name, info in type(self).model_fields.items() if _READ in info.metadata)

    def keyed_in_format_1(self) -> dict[str, Any]:
        """Return the parameters as keys of format 1 (ddbench 0.1) held them, so that old results are found.

        Override it if parameters had other names then.
        """
        return self.keyed()


def unkeyed(default: Any = ..., **kwargs: Any) -> Any:
    """Declare a field that enters no key, such as a path: it tells where data is, not what it contains.

    Args:
        default: the default value; required if absent.
        kwargs: further arguments of ``pydantic.Field``.
    """
    return Field(default, json_schema_extra={"keyed": False}, **kwargs)


def _holds_boolean(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return any(map(_holds_boolean, value))
    return isinstance(value, bool) or (isinstance(value, dict) and any(map(_holds_boolean, value.values())))


def _types(annotation: Any) -> Iterator[Any]:
    """Yield a type and the types in its arguments."""
    yield annotation
    for part in get_args(annotation):
        yield from _types(part)


def _unkeyed_fields(model: type[BaseModel]) -> set[str]:
    return {
        name
        for name, field in model.model_fields.items()
        if isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("keyed") is False
    }
