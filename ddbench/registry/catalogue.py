"""The catalogue of components by kind and name, and of protocols by name and version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from functools import cache
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ddbench.api import KINDS, Component
from ddbench.api.observer import Observer
from ddbench.errors import ComponentError, DdbenchError, closest, did_you_mean
from ddbench.registry import files, plugins
from ddbench.registry.blame import describe
from ddbench.registry.libraries import remedy
from ddbench.registry.observers import ObserverNames

if TYPE_CHECKING:
    from ddbench.protocol.protocol import Protocol


class Catalogue:
    """The components and protocols of plug-ins.

    Plug-ins that import a heavy library at their top are loaded only if the others do not have a requested name.

    Attributes:
        plugins: all plug-ins by entry point.
        observers: the observers.
    """

    def __init__(self, entries: Iterable[EntryPoint]) -> None:
        self._components: dict[tuple[str, str], type[Component]] = {}
        self._owner: dict[type[Component], str] = {}
        self._source: dict[type[Component], Distribution] = {}
        self._protocol_files: dict[str, tuple[Path, str]] = {}
        self._protocols: dict[str, Protocol] = {}
        self._reading: list[str] = []
        self._deferred: list[EntryPoint] = []
        self._conflicts: dict[tuple[str, str], str] = {}
        self._broken_protocols: dict[str, str] = {}
        self.plugins: dict[str, plugins.Plugin] = {}
        self.observers = ObserverNames()
        for entry in entries:
            self._register(entry, heavy=False)

    def _register(self, entry: EntryPoint, *, heavy: bool) -> None:
        plugin = plugins.load(entry, heavy=heavy)
        # Entry points of two packages may share a name, but not a module.
        self.plugins[entry.value] = plugin
        if plugin.deferred:
            self._deferred.append(entry)
        for cls in plugin.declared.components:
            try:
                self.add(cls, owner=plugin.package)
            except ComponentError as error:  # the first one stays
                self._conflicts[cls.info.kind, cls.info.name] = str(error)
                continue
            if entry.dist:
                self._source[cls] = entry.dist
        for path in plugin.declared.protocols:
            self._add_protocol(path, plugin.package)
        self.observers.add(plugin.declared.observers, plugin.package)

    def with_files(self, paths: Iterable[Path]) -> Catalogue:
        """Return a catalogue with the components of files too. Their code runs.

        Raises:
            ComponentError: a file cannot be loaded, has no component, or has one whose name is taken.
        """
        wanted = list(dict.fromkeys(path.absolute() for path in paths))
        if not wanted:
            return self
        found = copy(self)
        found._components, found._owner = dict(self._components), dict(self._owner)
        found.observers = ObserverNames(self.observers)
        for path in wanted:
            found._add_file(path)
        return found

    def files(self) -> dict[files.ComponentFile, list[type[Component]]]:
        """Return the components of each single file."""
        found: dict[files.ComponentFile, list[type[Component]]] = {}
        for cls in self.components():
            file = files.file_of(cls)
            if file is not None:
                found.setdefault(file, []).append(cls)
        return found

    def _add_file(self, path: Path) -> None:
        module = files.import_file(path)
        try:
            classes, protocols, observers = plugins.declared_in(module)
        except ComponentError:
            raise
        except Exception as error:
            message = f"its components cannot be listed: {describe(error, {module.__name__})}"
            raise ComponentError(message, where=path.name) from None
        if protocols:
            raise ComponentError("a single file brings no protocols", where=path.name, hint="make it a package")
        self.observers.add(observers, files.read_file(path).owner)
        if not classes and not observers:
            hint = "declare a class with @component(KIND, NAME, version=1)"
            raise ComponentError("has no components", where=path.name, hint=hint)
        for cls in classes:
            own = files.file_of(cls)
            if own is None:
                message = f"returns {cls.label()}, which {cls.__module__} declares"
                raise ComponentError(message, where=path.name, hint="declare it in the file")
            self.add(cls, owner=own.owner)

    def _load_deferred(self) -> None:
        waiting, self._deferred = self._deferred, []
        for entry in waiting:
            self._register(entry, heavy=True)

    def add(self, cls: type[Component], *, owner: str) -> None:
        """Register a component class. Raise ComponentError if its kind and name are taken."""
        key = (cls.info.kind, cls.info.name)
        taken = self._components.get(key)
        if taken is not None and taken is not cls:
            raise ComponentError(
                f"{cls.label()} is declared twice: by {self._owner[taken]} ({taken.__module__}) "
                f"and by {owner} ({cls.__module__})",
                hint="rename one of them",
            )
        self._components[key] = cls
        self._owner[cls] = owner

    def owner(self, cls: type[Component]) -> str:
        """Return the package of a component, with its version."""
        return self._owner[cls]

    def distribution(self, cls: type[Component]) -> tuple[str, str] | None:
        """Return name and version of the distribution that registered a component; None for one added by hand."""
        source = self._source.get(cls)
        return None if source is None else (source.name, source.version)

    def source(self, cls: type[Component]) -> Distribution | None:
        """Return the distribution that registered a component; None for one added by hand."""
        return self._source.get(cls)

    def components(self, kind: str | None = None) -> list[type[Component]]:
        """Return all components, or those of one kind, sorted by pipeline order and name."""
        order = list(KINDS)
        found = [cls for (k, _), cls in self._components.items() if kind in (None, k)]
        return sorted(found, key=lambda cls: (order.index(cls.info.kind), cls.info.name))

    def load_all(self) -> None:
        """Load the plug-ins that wait because they import a heavy library."""
        self._load_deferred()

    def problems(self) -> list[str]:
        """Return a line for each plug-in, component or protocol that is broken or whose name is taken."""
        self.protocols()
        broken = (plugin for plugin in self.plugins.values() if plugin.error)
        return [
            *(f"the entry points of {name} cannot be read: {error}" for name, error in plugins.unreadable.items()),
            *(f"plug-in '{p.name}' ({p.package}) cannot be loaded: {p.error}" for p in broken),
            *self._conflicts.values(),
            *self.observers.conflicts.values(),
            *(f"protocol {error}" for error in self._broken_protocols.values()),
        ]

    def empty(self) -> list[str]:
        """Return a line for each plug-in that has nothing."""
        empty = (plugin for plugin in self.plugins.values() if plugin.is_empty)
        remedy = "return them from the hook ddbench_components"
        return [f"plug-in '{p.name}' ({p.package}) has no components; {remedy}" for p in empty]

    def get(self, kind: str, name: str) -> type[Component]:
        """Return a component class.

        Raises:
            ComponentError: it does not exist, with the most similar name; or two packages have one of this name.
        """
        if (kind, name) not in self._components:
            self._load_deferred()
        if (kind, name) in self._conflicts:
            raise ComponentError(self._conflicts[kind, name])
        try:
            return self._components[kind, name]
        except KeyError:
            names = [n for k, n in self._components if k == kind]
            raise ComponentError(f"there is no {kind} '{name}'", hint=self._hint(name, names)) from None

    def observer(self, name: str) -> tuple[type[Observer], str]:
        """Return an observer's class and its package. Raise ComponentError if none or two have this name."""
        if name not in self.observers:
            self._load_deferred()
        return self.observers.get(name)

    def _hint(self, name: str, names: Iterable[str]) -> str:
        broken = [
            f"plug-in {p.name} ({p.package}) cannot be loaded: {p.error}" for p in self.plugins.values() if p.error
        ]
        remark = "".join(f"; {line}" for line in broken)
        if not broken and closest(name, names) is None:
            remark = "; `ddbench doctor` lists the plug-ins that were found"
        missing = "".join(f"; {line}" for line in self.left_out())
        return did_you_mean(name, names) + remark + missing

    def left_out(self) -> list[str]:
        """Return a line for each module that is left out because a library is not installed."""
        return [
            f"{module} ({plugin.package}) is left out, it needs {library}: {remedy([library])}"
            for plugin in self.plugins.values()
            for module, library in plugin.left_out.items()
        ]

    def create(self, kind: str, name: str, params: Mapping[str, Any] | None = None) -> Component:
        """Build a component. Raise ComponentError for an unknown name or a wrong parameter."""
        return self.get(kind, name).configure(**(params or {}))

    def _add_protocol(self, path: Path, owner: str) -> None:
        first = self._protocol_files.setdefault(path.stem, (path, owner))
        if first[0] != path:
            self._conflicts["protocol", path.stem] = (
                f"protocol '{path.stem}' is declared twice: by {first[1]} ({first[0]}) and by {owner} ({path}); "
                "rename one of them"
            )

    def protocols(self) -> dict[str, Protocol]:
        """Return all protocols that can be read, by id, such as ``minimax-hard@1``."""
        found: dict[str, Protocol] = {}
        for protocol_id in sorted(self._protocol_files):
            try:
                found[protocol_id] = self._read_protocol(protocol_id)
            except (DdbenchError, OSError) as error:
                self._broken_protocols[protocol_id] = f"'{protocol_id}': {error}"
        return found

    def protocol_owner(self, protocol_id: str) -> str:
        """Return the package of a protocol, with its version."""
        return self._protocol_files[protocol_id][1]

    def protocol(self, protocol_id: str) -> Protocol:
        """Return a protocol, read from its file on the first call.

        Raises:
            ComponentError: no protocol has this id, or its file is not a protocol.
        """
        if protocol_id not in self._protocol_files:
            self._load_deferred()
        if protocol_id not in self._protocol_files:
            hint = self._hint(protocol_id, self._protocol_files)
            raise ComponentError(f"there is no protocol '{protocol_id}'", hint=hint)
        if ("protocol", protocol_id) in self._conflicts:
            raise ComponentError(self._conflicts["protocol", protocol_id])
        return self._read_protocol(protocol_id)

    def protocol_like(self, protocol: Protocol) -> Protocol | None:
        """Return the protocol with the same content; None if there is none."""
        content = protocol.content
        return next((known for known in self.protocols().values() if known.content == content), None)

    def _read_protocol(self, protocol_id: str) -> Protocol:
        from ddbench.protocol.extend import read_protocol

        if protocol_id not in self._protocols:
            if protocol_id in self._reading:
                chain = " → ".join([*self._reading, protocol_id])
                raise ComponentError(f"the protocol extends itself: {chain}", hint="remove one `extends`")
            self._reading.append(protocol_id)
            try:
                path, _ = self._protocol_files[protocol_id]
                self._protocols[protocol_id] = read_protocol(path, self.protocol)
            finally:
                self._reading.pop()
        return self._protocols[protocol_id]


# Files whose components every catalogue of this process has.
_chosen: Final[list[Path]] = []


def choose_files(paths: Iterable[Path]) -> None:
    """Load the components of files into the catalogue of this process. Raise ComponentError if one cannot be."""
    _chosen.extend(paths)
    catalogue.cache_clear()
    catalogue()


@cache
def catalogue() -> Catalogue:
    """Return the catalogue of this environment and of chosen files, loaded once per process."""
    return Catalogue(plugins.installed()).with_files(_chosen)


def create(kind: str, name: str, **params: Any) -> Component:
    """Build a registered component, for example ``create("selector", "k-center", metric="cosine")``."""
    return catalogue().create(kind, name, params)
