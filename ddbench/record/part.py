"""The base class of models of stored JSON. Types are strict; unknown keys of later versions are ignored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ddbench.toolkit.files import CorruptError, read_sealed


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


def read_part(path: Path, parse: Callable[[Any, str], P], what: str, *, exact: bool = False, **place: str) -> P | None:
    """Read a stored part that says where it belongs; None if the file does not exist.

    Args:
        path: the file.
        parse: makes the part from the JSON value and the path.
        what: the name of the part in messages.
        exact: refuse other bytes with the same value too.
        place: the values of the attributes that say where the file belongs. Files of earlier versions lack some.

    Raises:
        CorruptError: the file is damaged or belongs to another place.
        StoreError: the file cannot be read.
    """
    value = read_sealed(path, exact=exact)
    if value is None:
        return None
    part = parse(value, str(path))
    found = {name: getattr(part, name) for name in place}
    if any(found[name] not in (None, own) for name, own in place.items()):
        raise CorruptError(f"the {what} belongs to {'/'.join(map(str, found.values()))}", where=str(path))
    return part


def first_mistake(error: ValidationError) -> str:
    """Return the place and message of the first mistake as one line."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    line = f"{place}: {message[0].lower()}{message[1:]}" if place else message
    return " ".join(line.encode("ascii", "backslashreplace").decode().split())
