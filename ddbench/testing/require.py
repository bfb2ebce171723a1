"""How a conformance check says that something is wrong."""

from __future__ import annotations

from ddbench.api import Component
from ddbench.errors import ComponentError


def require(condition: bool, cls: type[Component], problem: str) -> None:
    """Raise ComponentError, naming the component and its problem, unless ``condition`` holds."""
    if not condition:
        raise ComponentError(f"{cls.label()} {problem}")
