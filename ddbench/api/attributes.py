"""Parameters that a component declares as attributes of its class, in place of a class ``Params``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import get_annotations
from typing import Any, ClassVar, Final, get_origin

from pydantic import create_model
from pydantic.errors import PydanticUserError

from ddbench.errors import ComponentError

_TAKEN: Final = frozenset({"info", "kind", "Params"})


def add_parameters(cls: type[Any]) -> None:
    """Make a parameter of each public attribute with annotation and value that the base classes do not have.

    ``metric: str = "l2"`` declares a parameter with a default, and ``metric: str = Field()`` a required one. A
    component reads it as ``self.metric``.

    Raises:
        ComponentError: an attribute cannot be a parameter.
    """
    place = f"{cls.__module__}.{cls.__qualname__}"
    own = dict(_declared(cls, place))
    if not own:
        return
    fields: dict[str, Any] = {name: (hint, vars(cls)[name]) for name, hint in own.items()}
    try:
        cls.Params = create_model("Params", __base__=cls.Params, __module__=cls.__module__, **fields)
        cls.Params.model_rebuild()
    except (PydanticUserError, TypeError, ValueError, NameError) as error:
        first = str(error).splitlines()[0]
        raise ComponentError(f"the parameters {', '.join(own)} cannot be read: {first}", where=place) from None
    for name in own:
        setattr(cls, name, property(_reader(name)))


def _declared(cls: type[Any], place: str) -> Iterator[tuple[str, Any]]:
    """Yield name and type of each parameter."""
    known = cls.Params.model_fields
    for name, annotation in get_annotations(cls).items():
        overrides = any(hasattr(base, name) for base in cls.__bases__) and name not in known
        if name in _TAKEN and name in vars(cls):
            raise ComponentError(f"'{name}' cannot be a parameter", where=place, hint="rename it")
        if name.startswith("_") or name not in vars(cls) or overrides:
            continue
        hint = _evaluated(annotation, cls, name, place)
        if hint is not ClassVar and get_origin(hint) is not ClassVar:
            yield name, hint


def _evaluated(annotation: Any, cls: type[Any], name: str, place: str) -> Any:
    """Return the type that an annotation spells."""
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, vars(sys.modules[cls.__module__]), dict(vars(cls)))
    except Exception as error:
        hint = "import the type at the top; begin the name of any other attribute with an underscore"
        message = f"parameter '{name}' has a type that cannot be read: {error}"
        raise ComponentError(message, where=place, hint=hint) from None


def _reader(name: str) -> Any:
    def read(self: Any) -> Any:
        return getattr(self.params, name)

    return read
