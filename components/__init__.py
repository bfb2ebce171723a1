"""The built-in components, registered through the same hooks as a third party's."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from ddbench import Component, components_in, hookimpl


@hookimpl
def ddbench_components() -> Iterable[type[Component]]:
    return components_in(sys.modules[__name__])


@hookimpl
def ddbench_protocols() -> Iterable[Path]:
    return sorted((Path(__file__).parent / "evaluators" / "protocols").glob("*.yaml"))
