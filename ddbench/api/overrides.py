"""Mistakes in the methods of a component's class, found when a plug-in or a file with the class is loaded."""

from __future__ import annotations

from difflib import get_close_matches
from inspect import CO_VARARGS, getsourcefile, getsourcelines, iscoroutinefunction
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING

from ddbench.errors import ComponentError

if TYPE_CHECKING:
    from ddbench.api.component import Component


def check_methods(cls: type[Component]) -> None:
    """Raise ComponentError for a method that is missing, or that cannot take the arguments of its base class."""
    for name, own in vars(cls).items():
        hides = isinstance(_of_a_base(cls, name), FunctionType) and not name.startswith("__")
        if hides and not callable(own) and not isinstance(own, classmethod | staticmethod):
            message = f"{cls.__qualname__}.{name} hides the method {name} of {cls.kind}s"
            raise ComponentError(message, where=_place(cls), hint="give the attribute another name")
    check_arguments(cls)
    missing = cls._unimplemented()
    if missing:
        near = get_close_matches(missing[0], [n for n, own in vars(cls).items() if isinstance(own, FunctionType)], n=1)
        hint = f"rename '{near[0]}' to '{missing[0]}'" if near else f"see `help(ddbench.{cls.kind.title()})`"
        message = f"{cls.__qualname__}: does not implement {' or '.join(missing)}"
        raise ComponentError(message, where=_place(cls), hint=hint)


def check_arguments(cls: type) -> None:
    """Raise ComponentError for a method that cannot take the arguments of its base class."""
    for name, own in vars(cls).items():
        base = _of_a_base(cls, name)
        if isinstance(own, FunctionType) and isinstance(base, FunctionType) and not name.startswith("__"):
            _check_arguments(own, base)


def _of_a_base(cls: type, name: str) -> object:
    """Return what the nearest base class has under a name; None if there is nothing."""
    return next((vars(base)[name] for base in cls.__mro__[1:] if name in vars(base)), None)


def _place(cls: type[Component]) -> str:
    """Return file and line of a class, or its module if it has no source."""
    try:
        return f"{Path(getsourcefile(cls) or '').name}:{getsourcelines(cls)[1]}"
    except (OSError, TypeError):
        return cls.__module__


def _check_arguments(own: FunctionType, base: FunctionType) -> None:
    """Require that a method takes as many arguments as the one that it overrides must be given."""
    wanted = base.__code__.co_argcount - len(base.__defaults__ or ())
    if iscoroutinefunction(own):
        place = f"{Path(own.__code__.co_filename).name}:{own.__code__.co_firstlineno}"
        raise ComponentError(f"{own.__qualname__} is async, and nothing awaits it", where=place, hint="write `def`")
    code, least = own.__code__, own.__code__.co_argcount - len(own.__defaults__ or ())
    if least > wanted or (code.co_argcount < wanted and not code.co_flags & CO_VARARGS):
        expected = ", ".join(base.__code__.co_varnames[:wanted])
        place = f"{Path(code.co_filename).name}:{code.co_firstlineno}"
        found = f"{own.__qualname__}({', '.join(code.co_varnames[: code.co_argcount])}) has the wrong arguments"
        raise ComponentError(found, where=place, hint=f"write {own.__name__}({expected})")
