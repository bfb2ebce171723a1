"""Collect the components of a package, one file each."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from ddbench.api.component import Component


def components_in(package: ModuleType) -> Iterator[type[Component]]:
    """Every component declared in ``package``'s modules, at any depth.

    Modules whose name starts with an underscore are not imported: network classes live there, and import torch.
    """
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if any(part.startswith("_") for part in found.name.split(".")):
            continue
        module = importlib.import_module(found.name)
        for value in vars(module).values():
            if isinstance(value, type) and value.__module__ == module.__name__ and "info" in vars(value):
                yield value
