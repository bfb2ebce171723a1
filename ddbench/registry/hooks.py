"""The hooks of plug-ins. A plug-in is a module named by an entry point of the group ``ddbench``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pluggy

if TYPE_CHECKING:
    from ddbench.api.component import Component
    from ddbench.api.observer import Observer

GROUP: Final = "ddbench"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def ddbench_components() -> Iterable[type[Component]]:  # type: ignore[empty-body]
    """Return the component classes of this plug-in, each declared with ``@component``."""


@hookspec
def ddbench_protocols() -> Iterable[Path]:  # type: ignore[empty-body]
    """Return the protocol files (YAML) of this plug-in, each named ``name@version.yaml``."""


@hookspec
def ddbench_observers() -> Iterable[type[Observer]]:  # type: ignore[empty-body]
    """Return the observers of this plug-in, each a subclass of ``ddbench.Observer`` with a ``name``."""
