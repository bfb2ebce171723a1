"""Collect the components of a package."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from ddbench.api.component import Component


def components_in(package: ModuleType) -> Iterator[type[Component]]:
    """Yield every component declared in ``package`` and its modules, at any depth.

    Modules whose names start with an underscore are skipped, because they may import torch.
    """
    for module in (package, *_public_modules(package)):
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__ and "info" in vars(value):
                yield value


def _public_modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(package.__path__):
        if not found.name.startswith("_"):
            module = importlib.import_module(f"{package.__name__}.{found.name}")
            yield module
            if found.ispkg:
                yield from _public_modules(module)
