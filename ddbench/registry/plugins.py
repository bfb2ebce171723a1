"""Find and load plug-ins, so that a slow or broken one cannot take the command line down."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib import util
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

import pluggy

from ddbench.api import KINDS, Component
from ddbench.registry import hooks, scan
from ddbench.registry.hooks import GROUP

HEAVY = ("torch", "torchvision", "timm", "open_clip", "diffusers", "numba")


class HeavyImportError(Exception):
    """A plug-in imports a heavy library at its top.

    Not an ImportError: ``try: import torch`` must not leave a plug-in for good without the torch that there is.
    """


@dataclass(frozen=True)
class Plugin:
    """An entry point and what became of it: what it brings, or a reason why that is nothing.

    Attributes:
        components: the classes that it registers.
        protocols: its protocol files.
        deferred: it was not loaded because it imports a heavy library; it is loaded when one of its components is used.
        error: the traceback of a failed load.
        left_out: its modules that lack a library, and the library.
    """

    name: str
    package: str
    components: tuple[type[Component], ...] = ()
    protocols: tuple[Path, ...] = ()
    deferred: str | None = None
    error: str | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)


class _NoHeavyImports(MetaPathFinder):
    """Refuses the first import of a heavy library that is installed."""

    def __init__(self) -> None:
        self.refused = frozenset(name for name in HEAVY if util.find_spec(name) is not None)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in self.refused:
            raise HeavyImportError(f"imports {fullname.partition('.')[0]} at its top")
        return None


@contextmanager
def _light_imports_only() -> Iterator[None]:
    guard = _NoHeavyImports()
    sys.meta_path.insert(0, guard)
    try:
        yield
    finally:
        sys.meta_path.remove(guard)


def load(entry: EntryPoint, *, heavy: bool) -> Plugin:
    """Load one plug-in. With ``heavy`` false it is deferred if it would import torch, which takes seconds."""
    package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
    try:
        with nullcontext() if heavy else _light_imports_only():
            components, protocols = _ask(entry.load())
        left_out = {name: library for name, library in scan.left_out.items() if name.startswith(f"{entry.module}.")}
        return Plugin(entry.name, package, components, protocols, left_out=left_out)
    except HeavyImportError as error:
        return Plugin(entry.name, package, deferred=str(error))
    except (Exception, SystemExit):
        return Plugin(entry.name, package, error=traceback.format_exc())


def _ask(module: ModuleType) -> tuple[tuple[type[Component], ...], tuple[Path, ...]]:
    """What the hooks of one plug-in return. They may import modules and fail, so each plug-in is asked alone."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hooks)
    manager.register(module)
    components = tuple(cls for classes in manager.hook.ddbench_components() for cls in classes)
    for cls in components:
        if not (isinstance(cls, type) and issubclass(cls, tuple(KINDS.values())) and "info" in vars(cls)):
            raise TypeError(f"ddbench_components() returned {cls!r}, which is no class declared with @component")
    return components, tuple(path for paths in manager.hook.ddbench_protocols() for path in paths)


def installed() -> list[EntryPoint]:
    """The plug-ins of this environment, by name."""
    return sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
