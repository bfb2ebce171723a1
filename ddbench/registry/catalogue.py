"""The catalogue: every component by kind and name, every protocol by name and version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

import pluggy

from ddbench.api import KINDS, Component
from ddbench.errors import ComponentError, did_you_mean
from ddbench.registry import hooks, plugins

if TYPE_CHECKING:
    from ddbench.train.protocol import Protocol


class Catalogue:
    """Components and protocols of a set of plug-ins.

    Plug-ins that import a heavy library at their top are loaded only when a name is not found among the others.
    """

    def __init__(self, entries: Iterable[EntryPoint]) -> None:
        self._manager = pluggy.PluginManager(hooks.GROUP)
        self._manager.add_hookspecs(hooks)
        self._components: dict[tuple[str, str], type[Component]] = {}
        self._owner: dict[type[Component], str] = {}
        self._deferred: list[EntryPoint] = []
        self.plugins: dict[str, plugins.Plugin] = {}
        for entry in entries:
            self._register(entry, heavy=False)

    def _register(self, entry: EntryPoint, *, heavy: bool) -> None:
        plugin = plugins.load(entry, heavy=heavy)
        self.plugins[entry.name] = plugin
        if plugin.deferred:
            self._deferred.append(entry)
        if plugin.module is None:
            return
        self._manager.register(plugin.module, entry.name)
        hook = self._manager.subset_hook_caller("ddbench_components", self._all_but(entry.name))
        for classes in hook():
            for cls in classes:
                self.add(cls, owner=plugin.package)

    def _all_but(self, name: str) -> list[Any]:
        return [module for other, module in self._manager.list_name_plugin() if other != name]

    def _load_deferred(self) -> None:
        waiting, self._deferred = self._deferred, []
        for entry in waiting:
            self._register(entry, heavy=True)

    def add(self, cls: type[Component], *, owner: str) -> None:
        """Register a component class; raises ComponentError if its kind and name are taken."""
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
        """The package, with its version, that a component comes from."""
        return self._owner[cls]

    def components(self, kind: str | None = None) -> list[type[Component]]:
        """All components, or those of one kind, in the order of the pipeline and by name."""
        order = list(KINDS)
        found = [cls for (k, _), cls in self._components.items() if kind in (None, k)]
        return sorted(found, key=lambda cls: (order.index(cls.info.kind), cls.info.name))

    def get(self, kind: str, name: str) -> type[Component]:
        """The component class; raises ComponentError, naming the nearest, if there is none."""
        if (kind, name) not in self._components:
            self._load_deferred()
        try:
            return self._components[kind, name]
        except KeyError:
            names = [n for k, n in self._components if k == kind]
            raise ComponentError(f"there is no {kind} '{name}'", hint=did_you_mean(name, names)) from None

    def create(self, kind: str, name: str, params: Mapping[str, Any] | None = None) -> Component:
        """Build a component; raises ComponentError for an unknown name or a wrong parameter."""
        return self.get(kind, name).configure(**(params or {}))

    def protocols(self) -> dict[str, Protocol]:
        """Every protocol by its id, such as ``minimax-hard@1``."""
        return {protocol_id: protocol for protocol_id, (protocol, _) in sorted(self._read_protocols().items())}

    def protocol_owner(self, protocol_id: str) -> str:
        """The package, with its version, that a protocol comes from."""
        return self._read_protocols()[protocol_id][1]

    def _read_protocols(self) -> dict[str, tuple[Protocol, str]]:
        from ddbench.train.protocol import read_protocol

        found: dict[str, tuple[Protocol, str]] = {}
        for name, module in self._manager.list_name_plugin():
            hook = self._manager.subset_hook_caller("ddbench_protocols", self._all_but(name)) if module else None
            for path in [path for paths in (hook() if hook else []) for path in paths]:
                protocol = read_protocol(path)
                if protocol.id in found:
                    raise ComponentError(f"protocol '{protocol.id}' is declared twice", where=str(path))
                found[protocol.id] = (protocol, self.plugins[name].package)
        return found

    def protocol(self, protocol_id: str) -> Protocol:
        """The protocol; raises ComponentError, naming the nearest, if there is none."""
        known = self.protocols()
        if protocol_id not in known:
            raise ComponentError(f"there is no protocol '{protocol_id}'", hint=did_you_mean(protocol_id, known))
        return known[protocol_id]


@cache
def catalogue() -> Catalogue:
    """The catalogue of this environment, loaded once a process."""
    return Catalogue(plugins.installed())


def create(kind: str, name: str, **params: Any) -> Component:
    """Build any registered component: ``create("selector", "k-center", metric="cosine")``."""
    return catalogue().create(kind, name, params)
