"""The built-in components. They use the same hooks as third-party plug-ins."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path

from ddbench import Component, Observer, components_in, hookimpl

from .observers.jsonl import JsonLines
from .observers.mlflow import MLflow

KINDS = ("datasets", "generators", "scorers", "selectors", "refiners", "evaluators", "students")


@hookimpl
def ddbench_components() -> Iterator[type[Component]]:
    """Yield the component classes of each kind's package."""
    for kind in KINDS:
        yield from components_in(import_module(f"{__name__}.{kind}"))


@hookimpl
def ddbench_protocols() -> Iterable[Path]:
    """Return the protocol files."""
    return sorted((Path(__file__).parent / "evaluators" / "protocols").glob("*.yaml"))


@hookimpl
def ddbench_observers() -> Iterable[type[Observer]]:
    """Return the observers."""
    return [JsonLines, MLflow]
