"""Find and load plug-ins. Slow or broken ones cannot stop the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import dataclass, field
from importlib import util
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint, distributions, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple, cast

import pluggy

from ddbench.api import KINDS, Component
from ddbench.api.observer import Observer
from ddbench.api.overrides import check_arguments, check_methods
from ddbench.registry import files, hooks, scan
from ddbench.registry.blame import describe, place_in
from ddbench.registry.hooks import GROUP

BUILTIN: Final = "ddbench_components"
# Distributions whose entry points cannot be read, and why.
unreadable: Final[dict[str, str]] = {}
HEAVY = ("torch", "torchvision", "timm", "open_clip", "diffusers", "numba")


class HeavyImportError(BaseException):
    """An error for a plug-in that imports a heavy library at its top.

    It is not an Exception, because a plug-in with ``try: import torch`` would then stay without torch.
    """


class Declared(NamedTuple):
    """The components, protocols and observers of a module.

    Attributes:
        components: the classes of components.
        protocols: the protocol files.
        observers: the classes of observers.
    """

    components: tuple[type[Component], ...] = ()
    protocols: tuple[Path, ...] = ()
    observers: tuple[type[Observer], ...] = ()


@dataclass(frozen=True)
class Plugin:
    """An entry point and the result of loading it.

    Attributes:
        name: the name of the entry point.
        package: its package, with version.
        declared: its components, protocols and observers.
        deferred: the heavy import that delays loading until one of its components is used.
        error: the place and message of a failed load, in one line.
        left_out: its modules that lack a library, and the library.
    """

    name: str
    package: str
    declared: Declared = field(default_factory=Declared)
    deferred: str | None = None
    error: str | None = None
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """True if it loads but has nothing."""
        return not (self.error or self.deferred or any(self.declared) or self.left_out)


class _NoHeavyImports(MetaPathFinder):
    """An import hook that refuses installed heavy libraries."""

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
    """Load a plug-in. Without ``heavy``, defer one that imports a heavy library, which takes seconds."""
    package = entry.value
    try:
        if entry.dist:
            package = f"{entry.dist.name} {entry.dist.version}"
        # Stdout is for results.
        with redirect_stdout(sys.stderr), nullcontext() if heavy else _light_imports_only():
            declared = declared_in(entry.load())
        left_out = {name: library for name, library in scan.left_out.items() if name.startswith(f"{entry.module}.")}
        return Plugin(entry.name, package, declared, left_out=left_out)
    except HeavyImportError as error:
        return Plugin(entry.name, package, deferred=str(error))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # such as exit()
        return Plugin(entry.name, package, error=describe(error, {entry.value.partition(":")[0].partition(".")[0]}))


def declared_in(module: ModuleType) -> Declared:
    """Return what the hooks of a module return. Without the hook of components, its own classes are taken."""
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hooks)
    manager.register(module)
    components = tuple(_returned(module, manager.hook.ddbench_components, scan.components_in))
    for cls in components:
        if not (isinstance(cls, type) and issubclass(cls, tuple(KINDS.values())) and "info" in vars(cls)):
            raise TypeError(f"ddbench_components() returned {cls!r}, which is not a class declared with @component")
        check_methods(cast("type[Component]", cls))
    protocols = tuple(path for paths in manager.hook.ddbench_protocols() for path in paths)
    for path in protocols:
        if not isinstance(path, Path):
            raise TypeError(f"ddbench_protocols() returned {path!r}, which is not a pathlib.Path")
    scanned = (lambda module: ()) if hasattr(module, "ddbench_components") else scan.observers_in
    observers = tuple(_returned(module, manager.hook.ddbench_observers, scanned))
    for cls in observers:
        if not (isinstance(cls, type) and issubclass(cls, Observer) and isinstance(getattr(cls, "name", None), str)):
            raise TypeError(f"ddbench_observers() returned {cls!r}, which is not a subclass of Observer with a name")
        check_arguments(cls)
    return Declared(components, protocols, observers)


def _returned(
    module: ModuleType, hook: pluggy.HookCaller, scanned: Callable[[ModuleType], Iterable[Any]]
) -> Iterator[Any]:
    """Yield what a hook returns, also without its mark; what is found in the module if there is no hook."""
    unmarked = getattr(module, hook.name, None)
    if hook.get_hookimpls():
        found = hook()
    elif callable(unmarked):
        found = [unmarked()]
    else:
        yield from scanned(module)
        return
    for classes in found:
        if isinstance(classes, type):
            raise TypeError(f"{hook.name}() returned {classes.__name__}; return a list: [{classes.__name__}]")
        yield from classes


def installed() -> list[EntryPoint]:
    """Return the plug-ins of this environment, the built-in one first, then by name."""
    return sorted(_entries(), key=lambda entry: (entry.value != BUILTIN, entry.name))


def _entries() -> list[EntryPoint]:
    """Return the entry points of all distributions. One that cannot be read hides no other."""
    try:
        return list(entry_points(group=GROUP))
    except Exception:  # a malformed file of another package
        found: dict[tuple[str, str], EntryPoint] = {}
        for distribution in distributions():
            try:
                own = distribution.entry_points.select(group=GROUP)
            except Exception as error:
                unreadable[str(distribution.name)] = describe(error, ())
                continue
            for entry in own:
                found.setdefault((entry.name, entry.value), entry)
        return list(found.values())


def blamed(error: BaseException) -> str | None:
    """Return a line about an error that a third party's plug-in caused; None if none did."""
    packages = {entry.value.partition(":")[0].partition(".")[0] for entry in installed() if entry.value != BUILTIN}
    packages |= files.modules()
    return f"a plug-in failed: {describe(error, packages)}" if place_in(error, packages) else None
