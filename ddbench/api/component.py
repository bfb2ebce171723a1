"""What every component is, and the decorator that declares one."""

from __future__ import annotations

import re
from abc import ABC
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeVar, runtime_checkable

from pydantic import ValidationError

from ddbench.api.params import Params as BaseParams
from ddbench.errors import ComponentError, did_you_mean

if TYPE_CHECKING:
    from ddbench.api.context import Context
    from ddbench.api.cost import Cost, Work
    from ddbench.api.data import TrainingData

# What is told of a transfer while it goes on: (what, done, total bytes); a total of 0 is not known.
Progress = Callable[[str, int, int], None]

_KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Info:
    """How a component is known: its place, its name, its version, its source."""

    kind: str
    name: str
    version: int
    summary: str
    paper: str | None = None


class Component(ABC):
    """The base of the seven kinds. A component is configured by its ``Params`` and holds no other state until loaded.

    Attributes:
        kind: which of the seven kinds this is; set by the kind's base class.
        info: set by :func:`component`.
        hashed_modules: modules outside the component's own package whose code decides its output.
        shown: parameters that tables show even where a suite leaves them at their defaults: those that say whose
            reading of a method this is.
    """

    kind: ClassVar[str]
    info: ClassVar[Info]
    hashed_modules: ClassVar[tuple[str, ...]] = ()
    shown: ClassVar[tuple[str, ...]] = ()

    class Params(BaseParams):
        """No parameters."""

    params: BaseParams

    def __init__(self, params: BaseParams | None = None) -> None:
        self.params = self.Params() if params is None else params

    @classmethod
    def configure(cls, **values: Any) -> Component:
        """Build the component from parameter values; raises ComponentError that names the parameter at fault."""
        try:
            return cls(cls.Params(**values))
        except ValidationError as error:
            raise ComponentError(f"{cls.label()}: {explain(error, cls.Params)}") from None

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """Parameter values for a quick run on ``data``, used by the conformance checks: by default the defaults.

        Override it where the defaults are slow or a parameter is required; files it points at go into ``scratch``.
        """
        return {}

    @classmethod
    def label(cls) -> str:
        """``selector 'k-center'``, for messages."""
        return f"{cls.info.kind} '{cls.info.name}'"

    @property
    def seeded(self) -> bool:
        """Whether the output depends on the seed of this stage's axis, as configured."""
        return False

    @property
    def threads(self) -> int:
        """CPU threads that this component's stages are run with: declared, so that no result depends on the machine."""
        return 1

    def fingerprint(self) -> Any:
        """JSON that enters the keys beside the parameters: what a path points at, what else is built by name."""
        return None

    @cached_property
    def fingerprinted(self) -> Any:
        """What ``fingerprint`` says, asked once: it may have to read a folder."""
        return self.fingerprint()

    def missing(self) -> str | None:
        """What is known to be missing on this machine (weights, say) and what to do, in one line; cheap, no torch."""
        return None

    def fetch(self, progress: Progress) -> None:
        """Get what is missing, keeping what an earlier call has got; whatever is there already is left alone.

        Nowhere else may a component open a connection. By default it can get nothing itself.

        Raises:
            ComponentError: something cannot be got, in one line with the remedy; an ExceptionGroup of such errors where
                several things cannot.
        """
        problem = self.missing()
        if problem is not None:
            raise ComponentError(problem)

    def cost(self, work: Work) -> Cost | None:
        """Return what a piece of work costs, or None if that is not known; cheap, no torch.

        Plans ask generators about ``Sample``, ``Fit``, ``Loss`` and ``Decode``, scorers about ``Score`` and ``Fit``,
        refiners about ``Refine``, and evaluators about ``Train``; see ``ddbench.api.cost``.
        """
        return None

    def for_fit(self) -> Self:
        """The component whose fit this one loads: itself, or, where parameters mean nothing to a fit, one without them.

        Components of which these are equal share one fit.
        """
        return self

    def without(self, *names: str) -> Self:
        """The same with parameters at their defaults."""
        fields = type(self.params).model_fields
        return type(self)(
            self.params.model_copy(update={name: fields[name].get_default(call_default_factory=True) for name in names})
        )

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:  # noqa: B027  (optional to override)
        """Get ready for work; called once a worker. ``fitted`` is the folder that ``fit`` filled."""


@runtime_checkable
class Fittable(Protocol):
    """A component with a stage of its own before use."""

    def fit(self, data: TrainingData, out_dir: Path, ctx: Context) -> None:
        """Fill ``out_dir`` with safetensors and JSON that ``load`` will read."""


C = TypeVar("C", bound=Component)


def component(kind: str, name: str, *, version: int, paper: str | None = None) -> Callable[[type[C]], type[C]]:
    """Declare a component class. Its docstring's first line is its summary.

    Args:
        kind: the kind of the base class, said again for the reader.
        name: kebab-case, unique within the kind; the name in suite files.
        version: raised whenever the same parameters and inputs give another output.
        paper: where the method comes from, such as ``arXiv:1708.00489``.

    Raises:
        ComponentError: the declaration breaks one of these rules.
    """

    def declare(cls: type[C]) -> type[C]:
        place = f"{cls.__module__}.{cls.__qualname__}"
        if getattr(cls, "kind", None) != kind:
            raise ComponentError(f"declared as a {kind} but derives from no base class of that kind", where=place)
        if not _KEBAB.fullmatch(name):
            raise ComponentError(f"'{name}' is not a kebab-case name", where=place)
        if version < 1:
            raise ComponentError(f"version {version} is not a positive whole number", where=place)
        if not (cls.__doc__ or "").strip():
            raise ComponentError("has no docstring", where=place, hint="its first line is shown by `ddbench list`")
        summary = (cls.__doc__ or "").strip().splitlines()[0]
        cls.info = Info(kind=kind, name=name, version=version, summary=summary, paper=paper)
        return cls

    return declare


def explain(error: ValidationError, model: type[BaseParams]) -> str:
    """The first mistake in a parameter set, in one clause."""
    first = error.errors()[0]
    field, *rest = first["loc"] or ("",)
    said = [first["msg"].removeprefix("Value error, ")]
    others = [e["msg"] for e in error.errors()[1:] if e["loc"][:1] == (field,)]
    if others and any(isinstance(part, str) for part in rest):  # members of a union by name: no places in the value
        said, rest = [*said, *(other.removeprefix("Input should be ") for other in others)], []
    name, message = ".".join(map(str, (field, *rest))), ", or ".join(said)
    message = f"{message[0].lower()}{message[1:]}"
    if not name:
        return message
    if first["type"] == "extra_forbidden":
        advice = model.renamed.get(name) or did_you_mean(name, model.model_fields)
        return f"unknown parameter '{name}'; {advice}"
    if first["type"] == "missing":
        return f"parameter '{name}' is required"
    return f"parameter '{name}' is {first['input']!r}: {message}"
