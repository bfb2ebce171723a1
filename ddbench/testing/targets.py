"""Find the components that a user names for their checks."""

from __future__ import annotations

from pathlib import Path

from ddbench.api import Component
from ddbench.errors import ComponentError, did_you_mean
from ddbench.registry import Catalogue, catalogue
from ddbench.registry.files import file_of


def components_of(target: str) -> list[type[Component]]:
    """Return the components of a Python file, of a name with or without kind, or of a plug-in's entry point.

    Raises:
        ComponentError: there is none.
    """
    available = catalogue()
    if target.endswith(".py"):
        return _in_file(Path(target), available)
    found = _named(target, available)
    if not found:
        available.load_all()
        found = _named(target, available)
    broken = next((p for p in available.plugins.values() if p.name == target and p.error), None)
    if not found and broken is not None:
        raise ComponentError(f"plug-in '{target}' ({broken.package}) cannot be loaded: {broken.error}")
    if not found:
        names = {c.info.name for c in available.components()} | {p.name for p in available.plugins.values()}
        hint = did_you_mean(target.rpartition("/")[2], names) if names else None
        raise ComponentError(f"there is no component, plug-in or file '{target}'", hint=hint)
    return found


def _in_file(path: Path, available: Catalogue) -> list[type[Component]]:
    classes = available.with_files([path]).components()
    found = [cls for cls in classes if (own := file_of(cls)) is not None and own.text == path.read_bytes()]
    if not found:
        raise ComponentError("has no components", where=path.name, hint="observers have no checks")
    return found


def _named(target: str, available: Catalogue) -> list[type[Component]]:
    kind, _, name = target.rpartition("/")
    found = [cls for cls in available.components(kind or None) if cls.info.name == name]
    return found or [cls for p in available.plugins.values() if p.name == target for cls in p.declared.components]
