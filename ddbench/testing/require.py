"""Failures of conformance checks."""

from __future__ import annotations

from ddbench.api import Component
from ddbench.errors import ComponentError


def require(condition: bool, cls: type[Component], problem: str) -> None:
    """Raise ComponentError with the component's name and the problem, unless ``condition`` holds."""
    if not condition:
        raise ComponentError(f"{cls.label()} {problem}")
