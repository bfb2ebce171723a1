"""The base class of models of stored JSON. Types are strict; unknown keys of later versions are ignored."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ddbench.toolkit.files import CorruptError


class Part(BaseModel):
    """A part of a stored JSON object.

    Types are checked strictly and numbers must be finite. Unknown keys are ignored, since later versions may add keys.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", allow_inf_nan=False)


P = TypeVar("P", bound=Part)


def parse_part(model: type[P], value: Any, what: str, where: str | None = None) -> P:
    """Return ``value`` as a ``model``. Raise CorruptError, with the first mistake, if it does not fit.

    Args:
        model: the model.
        value: the JSON value.
        what: the name of the model in messages.
        where: the file, for messages.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise CorruptError(f"not a valid {what}: {first_mistake(error)}", where=where) from None


def first_mistake(error: ValidationError) -> str:
    """Return the place and message of the first mistake as one line."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    line = f"{place}: {message[0].lower()}{message[1:]}" if place else message
    return " ".join(line.encode("ascii", "backslashreplace").decode().split())
