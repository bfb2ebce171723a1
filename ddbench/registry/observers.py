"""The observers of plug-ins by name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ddbench.api.observer import Observer
from ddbench.errors import ComponentError, did_you_mean


class ObserverNames:
    """The observers by name. If two have the same name, neither can be chosen.

    Attributes:
        conflicts: a line for each name that is taken twice.
    """

    def __init__(self, other: ObserverNames | None = None) -> None:
        self._known: dict[str, tuple[type[Observer], str]] = {} if other is None else dict(other._known)
        self.conflicts: dict[str, str] = {} if other is None else dict(other.conflicts)

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[tuple[type[Observer], str]]:
        """Yield each class with its package, by name."""
        return (self._known[name] for name in sorted(self._known))

    def add(self, classes: Iterable[type[Observer]], owner: str) -> None:
        """Register the observers of a package or a file."""
        for cls in classes:
            first, taken_by = self._known.setdefault(cls.name, (cls, owner))
            if first is not cls:
                said = f"observer '{cls.name}' is declared twice: by {taken_by} ({first.__module__})"
                self.conflicts[cls.name] = f"{said} and by {owner} ({cls.__module__}); rename one of them"

    def get(self, name: str) -> tuple[type[Observer], str]:
        """Return a class and its package. Raise ComponentError if none or two have this name."""
        if name in self.conflicts:
            raise ComponentError(self.conflicts[name])
        if name not in self._known:
            raise ComponentError(f"there is no observer '{name}'", hint=did_you_mean(name, self._known))
        return self._known[name]
