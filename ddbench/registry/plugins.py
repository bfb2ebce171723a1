"""Find and load plug-ins, so that a slow or broken one cannot take the command line down."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

from ddbench.registry.hooks import GROUP

HEAVY = ("torch", "torchvision", "timm", "open_clip", "diffusers")


class HeavyImportError(ImportError):
    """A plug-in imports a heavy library at its top."""


@dataclass(frozen=True)
class Plugin:
    """An entry point and what became of it: its module, or a reason why there is none.

    Attributes:
        deferred: it was not loaded because it imports a heavy library; it is loaded when one of its components is used.
        error: the traceback of a failed load.
    """

    name: str
    package: str
    module: ModuleType | None = None
    deferred: str | None = None
    error: str | None = None


class _NoHeavyImports(MetaPathFinder):
    """Refuses the first import of a heavy library."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] in HEAVY:
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
        if heavy:
            return Plugin(entry.name, package, entry.load())
        with _light_imports_only():
            return Plugin(entry.name, package, entry.load())
    except HeavyImportError as error:
        return Plugin(entry.name, package, deferred=str(error))
    except Exception:
        return Plugin(entry.name, package, error=traceback.format_exc())


def installed() -> list[EntryPoint]:
    """The plug-ins of this environment, by name."""
    return sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
