"""A complete plug-in: the hook, and one small component of each kind."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from ddbench import Component, components_in, hookimpl


@hookimpl
def ddbench_components() -> Iterable[type[Component]]:
    return components_in(sys.modules[__name__])
