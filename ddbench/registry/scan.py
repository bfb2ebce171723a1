"""Collect the components of a package."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

from ddbench.api.component import Component
from ddbench.api.observer import Observer
from ddbench.registry.libraries import LIBRARIES

# Modules that were left out, and the library that each lacks.
left_out: Final[dict[str, str]] = {}


def components_in(package: ModuleType) -> Iterator[type[Component]]:
    """Yield every component declared in ``package``, which may be a single module, and its modules, at any depth.

    Modules whose names start with an underscore are skipped, because they may import torch. A module that imports a
    heavy library that is not installed is left out; the others stay.
    """
    yield from (cls for cls in _classes_in(package) if "info" in vars(cls))


def observers_in(package: ModuleType) -> Iterator[type[Observer]]:
    """Yield every observer with a name declared in ``package`` and its modules, which are found as for components."""
    yield from (cls for cls in _classes_in(package) if issubclass(cls, Observer) and "name" in vars(cls))


def _classes_in(package: ModuleType) -> Iterator[type[Any]]:
    modules = _public_modules(package) if hasattr(package, "__path__") else ()
    for module in (package, *modules):
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__:
                yield value


def _public_modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(package.__path__):
        if found.name.startswith("_"):
            continue
        module = _imported(f"{package.__name__}.{found.name}")
        if module is not None:
            yield module
            if found.ispkg:
                yield from _public_modules(module)


def _imported(name: str) -> ModuleType | None:
    """Import a module; return None if a large library that it imports is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in LIBRARIES:
            raise
        left_out[name] = error.name
        return None
