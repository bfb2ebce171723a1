"""The conformance test of components: it checks their declaration and their behaviour."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from ddbench.api import KINDS, Component, Params, canonical_json
from ddbench.errors import ComponentError
from ddbench.registry.plugins import HEAVY
from ddbench.testing import kinds
from ddbench.testing.require import require
from ddbench.testing.specimens import Specimen

_IMPORTS: Final = """
import importlib, json, sys

names, heavy = json.loads(sys.argv[1]), json.loads(sys.argv[2])
found, seen = {}, set()

for name in names:
    importlib.import_module(name)
    found[name] = sorted({h for h in heavy if h in sys.modules} - seen)
    seen.update(found[name])
print(json.dumps(found))
"""
_BEHAVIOUR: dict[str, Callable[[Any, Any, Path], None]] = {
    "dataset": kinds.check_dataset,
    "generator": kinds.check_generator,
    "scorer": kinds.check_scorer,
    "selector": kinds.check_selector,
    "refiner": kinds.check_refiner,
    "evaluator": kinds.check_evaluator,
    "student": kinds.check_student,
}


def check_component(cls: type[Component], scratch: Path, **params: Any) -> None:
    """Check that a component keeps its contract.

    Args:
        cls: the component.
        scratch: an empty folder.
        params: its parameters; by default those of its ``example``.

    Raises:
        ComponentError: the component breaks the contract.
    """
    check_declaration(cls, scratch, **params)
    check_behaviour(cls, scratch, **params)


def check_declaration(cls: type[Component], scratch: Path, **params: Any) -> None:
    """Check the class and its parameters without running it. Raise ComponentError if they break the contract."""
    if "info" not in vars(cls):
        raise ComponentError("is not declared with @component", where=f"{cls.__module__}.{cls.__qualname__}")
    require(issubclass(cls, KINDS[cls.info.kind]), cls, f"does not derive from the class of a {cls.info.kind}")
    require(bool(cls.info.summary), cls, "has no summary; write one as the first line of its docstring")
    require(issubclass(cls.Params, Params), cls, "has Params that do not derive from ddbench.Params")
    values = _example(cls, scratch, params)
    configured = cls.configure(**values)
    _check_params(cls, configured, values)
    marks = [canonical_json(cls.configure(**values).fingerprint()) for _ in range(2)]
    require(marks[0] == marks[1], cls, "has a fingerprint that differs between two calls")
    require(configured.threads >= 1, cls, f"declares {configured.threads} threads")


def check_behaviour(cls: type[Component], scratch: Path, **params: Any) -> None:
    """Run the component on small inputs. Raise ComponentError if it breaks the contract of its kind."""
    values = _example(cls, scratch, params)
    with _threads(cls.configure(**values).threads):
        _BEHAVIOUR[cls.info.kind](cls, lambda: cls.configure(**values), scratch)


def heavy_imports(modules: Iterable[str]) -> dict[str, list[str]]:
    """Return the heavy libraries that each of ``modules`` imports at its top, without modules that import none.

    One fresh interpreter imports them in the given order. A library counts for the first module that imports it.
    """
    command = [sys.executable, "-c", _IMPORTS, json.dumps(list(modules)), json.dumps(HEAVY)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return {name: libraries for name, libraries in found.items() if libraries}


def _example(cls: type[Component], scratch: Path, params: dict[str, Any]) -> dict[str, Any]:
    if params:
        return params
    folder = scratch / "example"
    folder.mkdir(parents=True, exist_ok=True)
    return cls.example(Specimen().training(), folder)


def _check_params(cls: type[Component], configured: Component, values: dict[str, Any]) -> None:
    """Check that parameters are JSON, can be read back, cannot be changed, and reject unknown names."""
    try:
        as_json = json.loads(canonical_json(configured.params.model_dump(mode="json")))
        canonical_json(configured.params.keyed())
    except (TypeError, ValueError) as error:
        raise ComponentError(f"{cls.label()} has parameters that are not JSON: {error}") from None
    again = cls.configure(**as_json)
    require(again.params == configured.params, cls, "has parameters that differ when read back from their JSON")
    for name in cls.Params.model_fields:
        try:
            setattr(configured.params, name, None)
        except ValidationError:
            continue
        raise ComponentError(f"{cls.label()} has a parameter '{name}' that can be changed")
    try:
        cls.configure(**{**values, "no-such-parameter": 0})
    except ComponentError as error:
        require("no-such-parameter" in error.message, cls, "does not name an unknown parameter")
    else:
        raise ComponentError(f"{cls.label()} accepts unknown parameters")


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Set the number of threads, as a worker does."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
