"""Named checks of components: how they are declared, run and reported."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Generic, Literal, NoReturn, TypeVar

from ddbench.api import KINDS, Component, Context
from ddbench.errors import ComponentError, DdbenchError
from ddbench.registry.blame import describe, place_in
from ddbench.testing.specimens import Specimen
from ddbench.toolkit.draws import drawing

C = TypeVar("C", bound=Component)
T = TypeVar("T")
ANY: Final = "any"
# The methods that do the work of each kind. A finding without a better place points at the first that a class has.
_WORK: Final = {
    "dataset": ("train", "validation"),
    "generator": ("sample_block", "sample"),
    "scorer": ("score_block", "score"),
    "selector": ("select_class", "choose"),
    "refiner": ("refine",),
    "evaluator": ("evaluate",),
    "student": ("build",),
}


@dataclass(frozen=True)
class Finding:
    """The finding of one check.

    Attributes:
        component: kind and name of the component, such as ``selector/k-center``.
        check: the name of the check.
        outcome: ``noted`` is a remark, not a failure; ``skipped`` checks do not apply, or need one that failed.
        reason: why, in one line; empty if it passed.
        place: the file and line, such as ``mine.py:24``; empty unless it failed.
        fix: what to do; empty unless it failed.
    """

    component: str
    check: str
    outcome: Literal["passed", "failed", "noted", "skipped"]
    reason: str = ""
    place: str = ""
    fix: str = ""

    def as_json(self) -> dict[str, str]:
        """Return the fields by name."""
        return asdict(self)


class SkippedError(Exception):
    """A check that does not apply to a component."""


class NotedError(Exception):
    """A remark that does not count as a failure."""


@dataclass
class Case(Generic[C]):
    """A component under its checks, and what they share.

    Attributes:
        cls: the component.
        scratch: a folder for files.
        given: parameter values; without any, those of ``example``.
    """

    cls: type[C]
    scratch: Path
    given: dict[str, Any] = field(default_factory=dict)
    _kept: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def values(self) -> dict[str, Any]:
        """The parameter values."""
        if self.given:
            return self.given
        folder = self.scratch / "example"
        folder.mkdir(parents=True, exist_ok=True)
        return self.cls.example(Specimen().training(), folder)

    def make(self) -> C:
        """Return a new component."""
        made: Any = self.cls.configure(**self.values)
        return made  # type: ignore[no-any-return]

    def once(self, name: str, compute: Callable[[], T]) -> T:
        """Return a value that the checks share, computed at first use."""
        if name not in self._kept:
            self._kept[name] = compute()
        return self._kept[name]  # type: ignore[no-any-return]

    def require(self, condition: bool, problem: str) -> None:
        """Raise ComponentError with the component's name and the problem, unless ``condition`` holds."""
        if not condition:
            raise ComponentError(f"{self.cls.label()} {problem}")

    def require_type(self, value: object, wanted: type, method: str) -> None:
        """Raise ComponentError unless a method returned an object of the wanted class."""
        found = "None" if value is None else f"a {type(value).__name__}"
        self.require(isinstance(value, wanted), f"returns {found} from {method}, not a {wanted.__name__}")

    def skip(self, why: str) -> NoReturn:
        """Leave the check, which does not apply."""
        raise SkippedError(why)


@dataclass(frozen=True)
class Check:
    """A check of the components of one kind, or of any.

    Attributes:
        kind: the kind, or ``any``.
        name: the name, unique in its kind.
        description: what must hold, in one line.
        fix: what to do if it does not.
        after: the checks without which this one tells nothing.
        test: raises an error if a component fails.
    """

    kind: str
    name: str
    description: str
    fix: str
    after: tuple[str, ...]
    test: Callable[[Case[Any]], None]


CHECKS: Final[list[Check]] = []


def check(
    kind: str, name: str, *, fix: str, after: tuple[str, ...] = ()
) -> Callable[[Callable[[Case[Any]], None]], Callable[[Case[Any]], None]]:
    """Declare a function as a check. Its docstring says what must hold."""

    def declare(test: Callable[[Case[Any]], None]) -> Callable[[Case[Any]], None]:
        CHECKS.append(Check(kind, name, (test.__doc__ or "").splitlines()[0], fix, after, test))
        return test

    return declare


def checks_of(kind: str) -> list[Check]:
    """Return the checks of a kind, in the order in which they are run."""
    return [one for one in CHECKS if one.kind in (ANY, kind)]


def run_checks(case: Case[Any], checks: list[Check]) -> Iterator[tuple[Finding, BaseException | None]]:
    """Run all checks. Yield what each found, with the error of a failure."""
    told: set[str] = set()
    for one in checks:
        finding, error = _run(case, one, [name for name in one.after if name in told])
        if error is not None or finding.reason.startswith("needs "):
            told.add(one.name)
        yield finding, error


def _run(case: Case[Any], one: Check, missing: list[str]) -> tuple[Finding, BaseException | None]:
    name = f"{case.cls.info.kind}/{case.cls.info.name}"
    if missing:
        return Finding(name, one.name, "skipped", f"needs '{missing[0]}'"), None
    try:
        one.test(case)
    except SkippedError as error:
        return Finding(name, one.name, "skipped", str(error)), None
    except NotedError as error:
        return Finding(name, one.name, "noted", str(error)), None
    except (Exception, SystemExit) as error:
        reason, fix = describe(error, ()), one.fix
        if isinstance(error, DdbenchError):
            reason, fix = error.message.removeprefix(f"{case.cls.label()} "), error.hint or fix
        return Finding(name, one.name, "failed", reason, place(case.cls, error), fix), error
    return Finding(name, one.name, "passed"), None


def place(cls: type[Component], error: BaseException) -> str:
    """Return the innermost line of the component's code in an error, or else the line of the method that works."""
    found = place_in(error, {cls.__module__.partition(".")[0]} - {"ddbench"})
    for name in () if found else _WORK[cls.info.kind]:
        code = getattr(getattr(cls, name), "__code__", None)
        if code is not None and getattr(cls, name) is not getattr(KINDS[cls.info.kind], name, None):
            return f"{Path(code.co_filename).name}:{code.co_firstlineno}"
    return found or ""


@contextmanager
def untouched(component: Component) -> Iterator[None]:
    """Raise ComponentError if the body changes the state of a global random generator."""
    import numpy as np
    import torch

    states = random.getstate(), np.random.get_state(), torch.get_rng_state()
    try:
        # From a state that no earlier call has left, also of a component that sets the seed.
        random.seed(20011)
        np.random.seed(20011)
        torch.manual_seed(20011)
        with drawing(component, Context(), strict=True):
            yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
