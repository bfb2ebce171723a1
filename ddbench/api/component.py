"""The base class of all components, and the decorator that declares one."""

from __future__ import annotations

import re
import sys
from abc import ABC
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, TypeVar, runtime_checkable

from pydantic import ValidationError

from ddbench.api.attributes import add_parameters
from ddbench.api.params import Params as BaseParams
from ddbench.errors import ComponentError, did_you_mean, first_mistake

if TYPE_CHECKING:
    from ddbench.api.context import Context
    from ddbench.api.cost import Cost, Work
    from ddbench.api.data import TrainingData

# A callback for transfers with the arguments (file, bytes done, total bytes). A total of 0 means that it is not known.
Progress = Callable[[str, int, int], None]

_STRIPPED = "There is no description: python -OO and PYTHONOPTIMIZE=2 remove docstrings."
KEBAB = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Info:
    """The identity of a component.

    Attributes:
        kind: one of the seven kinds.
        name: the name in suite files, unique within the kind.
        version: the version of its output.
        summary: the first line of its docstring.
        paper: its source; None if there is none.
    """

    kind: str
    name: str
    version: int
    summary: str
    paper: str | None = None


class Component(ABC):
    """The base class of the seven kinds. Before ``load`` a component holds only its parameters.

    Attributes:
        kind: one of the seven kinds, set by the kind's base class.
        info: its identity, set by :func:`component`.
        hashed_modules: modules outside the component's own package whose code decides its output.
        shown: parameters that tables show even at their defaults, because they tell the variant of a method.
        params: the parameter values.
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
        """Build the component from parameter values. Raise ComponentError that names a wrong parameter."""
        try:
            return cls(cls.Params(**values))
        except ValidationError as error:
            raise ComponentError(f"{cls.label()}: {explain(error, cls.Params)}") from None

    @classmethod
    def example(cls, data: TrainingData, scratch: Path) -> dict[str, Any]:
        """Return parameter values for a quick run on ``data``, which the conformance checks make.

        Override it if the defaults are slow or a parameter is required.

        Args:
            data: the training data of the run.
            scratch: a folder for the files that the values refer to.
        """
        return {}

    @classmethod
    def label(cls) -> str:
        """Return a name for messages, such as ``selector 'k-center'``."""
        return f"{cls.info.kind} '{cls.info.name}'"

    @classmethod
    def _unimplemented(cls) -> list[str]:
        """Return the methods that a class must implement and does not."""
        return sorted(getattr(cls, "__abstractmethods__", ()))

    @property
    def seeded(self) -> bool:
        """True if the output depends on the seed of this stage's axis, for these parameters."""
        return False

    @property
    def licence(self) -> str:
        """The terms on which its images or weights may be used, for the cards of exported sets. It enters no key."""
        return "unknown"

    @property
    def threads(self) -> int:
        """Number of CPU threads for this component's stages. It is fixed, so results do not depend on the machine."""
        return 1

    def fingerprint(self) -> Any:
        """Return JSON that enters the keys in addition to the parameters.

        Override it for a parameter that is a path (return a digest of the files) or that names another component.
        """
        return None

    @cached_property
    def fingerprinted(self) -> Any:
        """The result of ``fingerprint``, computed once because it may read a folder."""
        return self.fingerprint()

    def missing(self) -> str | None:
        """Return one line that names what is missing on this machine, such as weights, and the remedy; None if nothing.

        The check must be cheap and must not import torch.
        """
        return None

    def fetch(self, progress: Progress) -> None:
        """Download what is missing. Keep existing files and resume interrupted downloads.

        Only this method may open a network connection. The default implementation cannot download anything.

        Args:
            progress: called from time to time during a transfer.

        Raises:
            ComponentError: something cannot be downloaded; the message is one line with the remedy. If several things
                cannot, raise an ExceptionGroup of such errors.
        """
        problem = self.missing()
        if problem is not None:
            raise ComponentError(problem)

    def cost(self, work: Work) -> Cost | None:
        """Return the cost of a piece of work, or None if it is not known.

        The estimate must be cheap and must not import torch.

        Args:
            work: an object of a class in ``ddbench.cost``. Generators receive ``Sample``, ``Fit``, ``Loss`` or
                ``Decode``. Scorers receive ``Score`` or ``Fit``, refiners ``Refine``, and evaluators ``Train``.
        """
        return None

    def for_fit(self) -> Self:
        """Return the component whose fit this one loads, by default itself.

        Override it to reset parameters that do not affect the fit, for example with ``without``. Components that return
        equal components share one fit.
        """
        return self

    def without(self, *names: str) -> Self:
        """Return a copy with the named parameters at their defaults."""
        fields = type(self.params).model_fields
        return type(self)(
            self.params.model_copy(update={name: fields[name].get_default(call_default_factory=True) for name in names})
        )

    def load(self, fitted: Path | None, data: TrainingData, ctx: Context) -> None:  # noqa: B027  (optional to override)
        """Prepare for work, for example by reading weights. It is called once in each worker.

        Args:
            fitted: the folder that ``fit`` filled; None for a component without a fit.
            data: the training data.
            ctx: seed and device.
        """


@runtime_checkable
class Fittable(Protocol):
    """A component with a ``fit`` stage, which runs before its use."""

    def fit(self, data: TrainingData, out_dir: Path, ctx: Context) -> None:
        """Write the safetensors and JSON files that ``load`` reads into ``out_dir``."""


C = TypeVar("C", bound=Component)


def component(kind: str, name: str, *, version: int, paper: str | None = None) -> Callable[[type[C]], type[C]]:
    """Declare a component class. The first line of its docstring is its summary.

    An attribute with annotation and value, such as ``metric: str = "l2"``, is a parameter. Attributes of the base class
    are none, and neither are those whose names begin with an underscore.

    Args:
        kind: the kind of the base class, repeated for the reader.
        name: the name in suite files, in kebab-case, unique within the kind.
        version: a positive number. Raise it when the same parameters and inputs give another output.
        paper: the source of the method, such as ``arXiv:1708.00489``, or its BibTeX entry, for `ddbench cite`.

    Raises:
        ComponentError: the declaration breaks one of these rules.
    """

    def declare(cls: type[C]) -> type[C]:
        place = f"{cls.__module__}.{cls.__qualname__}"
        if getattr(cls, "kind", None) != kind:
            raise ComponentError(f"declared as a {kind}, but the class does not derive from that kind", where=place)
        if not KEBAB.fullmatch(name):
            raise ComponentError(f"'{name}' is not a kebab-case name", where=place)
        if version < 1:
            raise ComponentError(f"version {version} is not a positive whole number", where=place)
        described = (cls.__doc__ or "").strip() or ("" if sys.flags.optimize < 2 else _STRIPPED)
        if not described:
            raise ComponentError("the class has no docstring", where=place, hint="`ddbench list` shows its first line")
        summary = described.splitlines()[0]
        cls.info = Info(kind=kind, name=name, version=version, summary=summary, paper=paper)
        add_parameters(cls)
        return cls

    return declare


def explain(error: ValidationError, model: type[BaseParams]) -> str:
    """Return a message about the first mistake in a set of parameters. An unknown name comes before a missing one."""
    first = first_mistake(error)
    field, *rest = first["loc"] or ("",)
    messages = [first["msg"].removeprefix("Value error, ")]
    others = [e["msg"] for e in error.errors() if e != first and e["loc"][:1] == (field,)]
    if others and any(isinstance(part, str) for part in rest):  # these parts name a union's members, not a place
        messages, rest = [*messages, *(other.removeprefix("Input should be ") for other in others)], []
    name, message = ".".join(map(str, (field, *rest))), ", or ".join(messages)
    message = f"{message[0].lower()}{message[1:]}"
    if not name:
        return message
    if first["type"] == "extra_forbidden":
        advice = model.renamed.get(name) or did_you_mean(name, model.model_fields)
        return f"unknown parameter '{name}'; {advice}"
    if first["type"] == "missing":
        return f"parameter '{name}' is required"
    return f"parameter '{name}' is {first['input']!r}: {message}"
