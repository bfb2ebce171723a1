"""A mapping that reads each value at access."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

P = TypeVar("P")
V = TypeVar("V")


class LazyMapping(Mapping[str, V], Generic[P, V]):
    """A mapping that knows the place of each value, and reads the value at each access.

    Args:
        places: the place of each value.
        read: return the value at a place.
    """

    def __init__(self, places: Mapping[str, P], read: Callable[[P], V]) -> None:
        self._places = places
        self._read = read

    def __getitem__(self, key: str) -> V:
        return self._read(self._places[key])

    def __contains__(self, key: object) -> bool:
        return key in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)
