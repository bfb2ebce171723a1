"""One test for every component: what its declaration and its behaviour must be, whatever it does."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ddbench.api import KINDS, Component, Params, canonical_json
from ddbench.errors import ComponentError
from ddbench.registry.plugins import HEAVY
from ddbench.testing import kinds
from ddbench.testing.require import require
from ddbench.testing.specimens import Specimen

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
    """Hold a component to its contract; ``scratch`` is an empty folder.

    It is configured with ``params``, by default with what its ``example`` says.

    Raises:
        ComponentError: what is wrong, in one line.
    """
    check_declaration(cls, scratch, **params)
    check_behaviour(cls, scratch, **params)


def check_declaration(cls: type[Component], scratch: Path, **params: Any) -> None:
    """Hold the class and its parameters to the rules; nothing is run. Raises ComponentError."""
    if "info" not in vars(cls):
        raise ComponentError("is not declared with @component", where=f"{cls.__module__}.{cls.__qualname__}")
    require(issubclass(cls, KINDS[cls.info.kind]), cls, f"derives from no {cls.info.kind}")
    require(bool(cls.info.summary), cls, "has no summary: its docstring's first line")
    require(issubclass(cls.Params, Params), cls, "has Params that do not derive from ddbench.Params")
    values = _example(cls, scratch, params)
    configured = cls.configure(**values)
    _check_params(cls, configured, values)
    marks = [canonical_json(cls.configure(**values).fingerprint()) for _ in range(2)]
    require(marks[0] == marks[1], cls, "has a fingerprint that differs between two calls")
    require(configured.threads >= 1, cls, f"declares {configured.threads} threads")


def check_behaviour(cls: type[Component], scratch: Path, **params: Any) -> None:
    """Run the component on small inputs and hold it to its kind's contract. Raises ComponentError."""
    values = _example(cls, scratch, params)
    with _threads(cls.configure(**values).threads):
        _BEHAVIOUR[cls.info.kind](cls, lambda: cls.configure(**values), scratch)


def heavy_imports(modules: Iterable[str]) -> dict[str, list[str]]:
    """Which of ``modules`` import torch or another heavy library when they are imported, and which they import.

    They are imported in one fresh interpreter, in the order given; a library is charged to the first that imports it.
    """
    code = (
        "import importlib, json, sys\n"
        "names, heavy = json.loads(sys.argv[1]), json.loads(sys.argv[2])\n"
        "found, seen = {}, set()\n"
        "for name in names:\n"
        "    importlib.import_module(name)\n"
        "    found[name] = sorted({h for h in heavy if h in sys.modules} - seen)\n"
        "    seen.update(found[name])\n"
        "print(json.dumps(found))\n"
    )
    command = [sys.executable, "-c", code, json.dumps(list(modules)), json.dumps(HEAVY)]
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
    """Parameters are JSON, come back from it, cannot change, and know their names."""
    try:
        as_json = json.loads(canonical_json(configured.params.model_dump(mode="json")))
        canonical_json(configured.params.keyed())
    except (TypeError, ValueError) as error:
        raise ComponentError(f"{cls.label()} has parameters that are no JSON: {error}") from None
    again = cls.configure(**as_json)
    require(again.params == configured.params, cls, "has parameters that do not come back from their JSON")
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
    """Run with as many threads as a worker would."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
