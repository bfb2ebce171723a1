"""Collect the components of a package, one file each."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType
from typing import Final

from ddbench.api.component import Component

# Modules that were left out, and the library that each lacks.
left_out: Final[dict[str, str]] = {}


def components_in(package: ModuleType) -> Iterator[type[Component]]:
    """Every component declared in ``package`` and its modules, at any depth.

    What has a name that starts with an underscore is not imported: network classes live there, and import torch.
    A module that imports a library which is not installed is left out, and the others stay.
    """
    for module in (package, *_public_modules(package)):
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__ and "info" in vars(value):
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
    """Import a module; return None if a library that it imports is not installed."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        library = (error.name or "").partition(".")[0]
        if not library or find_spec(library) is not None:
            raise
        left_out[name] = library
        return None
