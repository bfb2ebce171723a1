"""The metadata of a pool's file: ids, the normalisation of pixels, and who gave soft labels. No torch here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from ddbench import DataError

from .pixels import HINT, Pixels


@dataclass(frozen=True)
class Metadata:
    """The metadata of a safetensors file, each value JSON.

    Attributes:
        path: the file, for messages.
        values: the metadata.
    """

    path: Path
    values: Mapping[str, str]

    def ids(self, count: int) -> tuple[str, ...]:
        """Return the ids, or else the positions. Raise DataError if they are not ``count`` different strings."""
        if "ids" not in self.values:
            return tuple(f"{i:06d}" for i in range(count))
        ids = self._parsed("ids")
        strings = isinstance(ids, list) and all(isinstance(i, str) for i in ids)
        if not strings or not len(ids) == len(set(ids)) == count:
            self._refuse("ids", f"that are not a JSON list of {count} different strings", "correct them")
        return tuple(ids)

    def pixels(self, listed: Pixels | None) -> Pixels:
        """Return the normalisation of float images from the metadata or a parameter.

        Raises:
            DataError: there is none, the two differ, or it is not three numbers for each of mean and std.
        """
        held = {name: self._parsed(name) for name in ("mean", "std") if name in self.values}
        if not held:
            if listed is None:
                raise DataError("has float images of unknown normalisation", where=str(self.path), hint=HINT)
            return listed
        try:
            own = Pixels(**held)
        except ValidationError:
            self._refuse("mean' and 'std", "that are not three numbers each", "correct both")
        if listed not in (None, own):
            hint = "remove the parameter, or correct the file"
            raise DataError("has another mean or std than the parameter 'pixels'", where=str(self.path), hint=hint)
        return own

    def tau(self) -> float:
        """Return the temperature of probabilities. Raise DataError if there is none."""
        value = self._parsed("tau")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            hint = "give the temperature of its 'soft_probabilities'"
            raise DataError("has no metadata 'tau' that is a positive number", where=str(self.path), hint=hint)
        return float(value)

    def text(self, name: str) -> str | None:
        """Return a text, which need not be JSON, in one line; None if there is none."""
        value = self._parsed(name)
        text = value if isinstance(value, str) else self.values.get(name)
        return None if text is None else " ".join(text.split())

    def _parsed(self, name: str) -> Any:
        """Return a value, or None if it is not JSON."""
        try:
            return json.loads(self.values.get(name, "null"))
        except (ValueError, RecursionError):
            return None

    def _refuse(self, name: str, problem: str, remedy: str) -> NoReturn:
        hint = f"{remedy}, or leave them out"
        raise DataError(f"has metadata '{name}' {problem}", where=str(self.path), hint=hint)
