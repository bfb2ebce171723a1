"""The catalogue: every component by kind and name, every protocol by name and version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddbench.api import KINDS, Component
from ddbench.errors import ComponentError, did_you_mean
from ddbench.registry import plugins
from ddbench.registry.libraries import remedy

if TYPE_CHECKING:
    from ddbench.protocol.protocol import Protocol


class Catalogue:
    """Components and protocols of a set of plug-ins.

    Plug-ins that import a heavy library at their top are loaded only when a name is not found among the others.
    """

    def __init__(self, entries: Iterable[EntryPoint]) -> None:
        self._components: dict[tuple[str, str], type[Component]] = {}
        self._owner: dict[type[Component], str] = {}
        self._distribution: dict[type[Component], tuple[str, str]] = {}
        self._protocol_files: dict[str, tuple[Path, str]] = {}
        self._protocols: dict[str, Protocol] = {}
        self._deferred: list[EntryPoint] = []
        self.plugins: dict[str, plugins.Plugin] = {}
        for entry in entries:
            self._register(entry, heavy=False)

    def _register(self, entry: EntryPoint, *, heavy: bool) -> None:
        plugin = plugins.load(entry, heavy=heavy)
        # Two packages may give their entry points the same name, but never the same module.
        self.plugins[entry.value] = plugin
        if plugin.deferred:
            self._deferred.append(entry)
        for cls in plugin.components:
            self.add(cls, owner=plugin.package)
            if entry.dist:
                self._distribution[cls] = (entry.dist.name, entry.dist.version)
        for path in plugin.protocols:
            self._add_protocol(path, plugin.package)

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

    def distribution(self, cls: type[Component]) -> tuple[str, str] | None:
        """Return name and version of the distribution that registered a component; None for one added by hand."""
        return self._distribution.get(cls)

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
            raise ComponentError(f"there is no {kind} '{name}'", hint=self._hint(name, names)) from None

    def _hint(self, name: str, known: Iterable[str]) -> str:
        broken = [plugin.name for plugin in self.plugins.values() if plugin.error]
        remark = f"; plug-in {', '.join(broken)} cannot be loaded, see `ddbench doctor`" if broken else ""
        lacking = "".join(f"; {line}" for line in self.left_out())
        return did_you_mean(name, known) + remark + lacking

    def left_out(self) -> list[str]:
        """Return a line for each module that is left out because a library is not installed."""
        return [
            f"{module} ({plugin.package}) is left out, it needs {library}: {remedy([library])}"
            for plugin in self.plugins.values()
            for module, library in plugin.left_out.items()
        ]

    def create(self, kind: str, name: str, params: Mapping[str, Any] | None = None) -> Component:
        """Build a component; raises ComponentError for an unknown name or a wrong parameter."""
        return self.get(kind, name).configure(**(params or {}))

    def _add_protocol(self, path: Path, owner: str) -> None:
        known = self._protocol_files.setdefault(path.stem, (path, owner))
        if known[0] != path:
            raise ComponentError(
                f"protocol '{path.stem}' is declared twice: by {known[1]} ({known[0]}) and by {owner} ({path})",
                hint="rename one of them",
            )

    def protocols(self) -> dict[str, Protocol]:
        """Every protocol by its id, such as ``minimax-hard@1``."""
        return {protocol_id: self.protocol(protocol_id) for protocol_id in sorted(self._protocol_files)}

    def protocol_owner(self, protocol_id: str) -> str:
        """The package, with its version, that a protocol comes from."""
        return self._protocol_files[protocol_id][1]

    def protocol(self, protocol_id: str) -> Protocol:
        """The protocol, read when first asked for.

        Raises:
            ComponentError: there is none of that id (the nearest is named), or its file is no protocol.
        """
        from ddbench.protocol.protocol import read_protocol

        if protocol_id not in self._protocol_files:
            self._load_deferred()
        if protocol_id not in self._protocol_files:
            hint = self._hint(protocol_id, self._protocol_files)
            raise ComponentError(f"there is no protocol '{protocol_id}'", hint=hint)
        if protocol_id not in self._protocols:
            self._protocols[protocol_id] = read_protocol(self._protocol_files[protocol_id][0])
        return self._protocols[protocol_id]


@cache
def catalogue() -> Catalogue:
    """The catalogue of this environment, loaded once a process."""
    return Catalogue(plugins.installed())


def create(kind: str, name: str, **params: Any) -> Component:
    """Build any registered component: ``create("selector", "k-center", metric="cosine")``."""
    return catalogue().create(kind, name, params)
