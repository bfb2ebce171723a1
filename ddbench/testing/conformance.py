"""The conformance test of components: it checks their declaration and their behaviour."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ddbench.api import Component
from ddbench.errors import ComponentError, DdbenchError
from ddbench.registry.plugins import HEAVY
from ddbench.testing import declaration, kinds  # noqa: F401  (they declare the checks)
from ddbench.testing.checks import ANY, Case, Check, Finding, checks_of, run_checks

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


def findings(cls: type[Component], scratch: Path, **params: Any) -> Iterator[Finding]:
    """Run all checks of a component, and yield what each found.

    Args:
        cls: the component.
        scratch: an empty folder.
        params: its parameters; by default those of its ``example``.
    """
    return (finding for finding, _ in _results(Case(cls, scratch, params), checks_of(cls.info.kind)))


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
    _raise_first(Case(cls, scratch, params), [one for one in checks_of(cls.info.kind) if one.kind == ANY])


def check_behaviour(cls: type[Component], scratch: Path, **params: Any) -> None:
    """Run the component on small inputs. Raise ComponentError if it breaks the contract of its kind."""
    _raise_first(Case(cls, scratch, params), [one for one in checks_of(cls.info.kind) if one.kind != ANY])


def heavy_imports(modules: Iterable[str]) -> dict[str, list[str]]:
    """Return the heavy libraries that each of ``modules`` imports at its top, without modules that import none.

    One fresh interpreter imports them in the given order. A library counts for the first module that imports it.
    """
    command = [sys.executable, "-c", _IMPORTS, json.dumps(list(modules)), json.dumps(HEAVY)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return {name: libraries for name, libraries in found.items() if libraries}


def _raise_first(case: Case[Any], checks: list[Check]) -> None:
    for finding, error in _results(case, checks):
        if isinstance(error, DdbenchError):
            raise error
        if error is not None:
            raise ComponentError(f"{case.cls.label()} fails: {finding.reason}", where=finding.place) from error


def _results(case: Case[Any], checks: list[Check]) -> Iterator[tuple[Finding, BaseException | None]]:
    """Run checks with the component's number of threads, as a worker does."""
    try:
        threads = max(1, case.make().threads)
    except Exception:  # a check tells it
        threads = 1
    with _threads(threads):
        yield from run_checks(case, checks)


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
