"""Decide whether a component's code enters keys, or its version alone."""

from __future__ import annotations

import json
import sys
from functools import cache
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any, Final

from ddbench.api.component import Component
from ddbench.registry.catalogue import catalogue
from ddbench.registry.code_hash import code_hash
from ddbench.registry.plugins import BUILTIN

_HARNESS: Final = "ddbench"
_RECORD: Final = "code_hashes.json"


def keyed_code(cls: type[Component]) -> str | None:
    """Return the code hash that enters keys; None if the version alone identifies the code.

    The version is enough for a released package, and for a built-in component whose code is the recorded one.
    """
    if is_released(cls):
        return None
    current = code_hash(cls)
    return None if is_builtin(cls) and current == _recorded(cls).get("source") else current


def is_builtin(cls: type[Component]) -> bool:
    """Return whether a component comes with ddbench. Its version is judged by the record of code hashes."""
    return cls.__module__.partition(".")[0] == BUILTIN


def is_released(cls: type[Component]) -> bool:
    """Return whether a component is a part of an installed release, which is never edited."""
    package = cls.__module__.partition(".")[0]
    if package in (_HARNESS, BUILTIN):
        return package == _HARNESS
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    source = catalogue().source(cls)
    return file is not None and source is not None and file in _released_files(source)


def _recorded(cls: type[Component]) -> dict[str, Any]:
    """Return version and code hash that the package records of a built-in component."""
    found: dict[str, Any] = _record().get(f"{cls.info.kind}/{cls.info.name}", {})
    return found


@cache
def _record() -> dict[str, Any]:
    file = Path(sys.modules[BUILTIN].__file__ or "").with_name(_RECORD)
    value: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return value


@cache
def _released_files(source: Distribution) -> frozenset[str]:
    """Return the Python files of a distribution; none if it was not installed as a release."""
    if source.read_text("RECORD") is None or _is_editable(source):
        return frozenset()
    return frozenset(str(source.locate_file(path)) for path in source.files or () if path.suffix == ".py")


def _is_editable(source: Distribution) -> bool:
    """Return whether the distribution's code is in a source folder, by PEP 610."""
    try:
        origin = json.loads(source.read_text("direct_url.json") or "{}")
        return bool(origin.get("dir_info", {}).get("editable"))
    except (ValueError, AttributeError):
        return False
