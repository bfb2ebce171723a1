"""The inputs of a node: the outputs of other nodes that it uses.

The class ``Inputs`` has one structure for all forms of inputs. A plan holds recipe keys, and a job holds action keys.
Action keys are computed from content digests. A stage receives opened artifacts. ``Inputs.map`` converts the forms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

T = TypeVar("T")
V = TypeVar("V")

_SINGLE = ("dataset", "selection", "distilled", "soft", "shard", "neighbours")
_BY_ROLE = ("scores", "real", "validation")


@dataclass(frozen=True)
class Shard(Generic[T]):
    """One piece of a pool: a block of samples of a few classes, or the scores of such a block.

    Attributes:
        first_class: index of its first class.
        block: number of the block.
        output: the key, digest or artifact of the shard.
    """

    first_class: int
    block: int
    output: T

    def map(self, change: Callable[[T], V]) -> Shard[V]:
        """Return the shard with ``change`` applied to its output."""
        return Shard(self.first_class, self.block, change(self.output))

    def to_json(self) -> dict[str, Any]:
        """Return the shard as JSON."""
        return {"first_class": self.first_class, "block": self.block, "output": self.output}


Shards = tuple[Shard[T], ...]


@dataclass(frozen=True)
class Inputs(Generic[T]):
    """The inputs of a node.

    Attributes:
        dataset: the data set's own node.
        selection: the samples that a selector chose.
        distilled: a distilled set.
        soft: a teacher's logits of a distilled set.
        shard: the samples that a scorer scores.
        neighbours: the distances between real training images.
        samples: the shards of a pool, in the order of classes and then of blocks.
        scores: the scores of these shards, by the scorer's role.
        real: the scores of the real training images, by the scorer's role.
        validation: the scores of the validation images, by the scorer's role. No component gets them.
        fitted: the fits of components, by the component's part in the node.
    """

    dataset: T | None = None
    selection: T | None = None
    distilled: T | None = None
    soft: T | None = None
    shard: T | None = None
    neighbours: T | None = None
    samples: Shards[T] = ()
    scores: Mapping[str, Shards[T]] = field(default_factory=dict)
    real: Mapping[str, Shards[T]] = field(default_factory=dict)
    validation: Mapping[str, Shards[T]] = field(default_factory=dict)
    fitted: Mapping[str, T] = field(default_factory=dict)

    def map(self, change: Callable[[T], V]) -> Inputs[V]:
        """Return the same inputs with ``change`` applied to each output."""
        single = {name: change(value) for name in _SINGLE if (value := getattr(self, name)) is not None}
        return Inputs(
            **single,
            samples=_mapped(self.samples, change),
            scores={role: _mapped(shards, change) for role, shards in self.scores.items()},
            real={role: _mapped(shards, change) for role, shards in self.real.items()},
            validation={role: _mapped(shards, change) for role, shards in self.validation.items()},
            fitted={part: change(value) for part, value in self.fitted.items()},
        )

    @property
    def samples_by_name(self) -> dict[str, T]:
        """The shards of the pool by their names in a stored selection, ``samples/FIRST_CLASS/BLOCK``."""
        return {_name("samples", shard): shard.output for shard in self.samples}

    def named(self) -> Iterator[tuple[str, T]]:
        """Yield each output with a name for messages only, such as ``scores/teacher/0/1``."""
        yield from ((name, value) for name in _SINGLE if (value := getattr(self, name)) is not None)
        yield from self.samples_by_name.items()
        for what in _BY_ROLE:
            for role, shards in getattr(self, what).items():
                yield from ((_name(f"{what}/{role}", shard), shard.output) for shard in shards)
        yield from ((f"fitted/{part}", value) for part, value in self.fitted.items())

    def values(self) -> tuple[T, ...]:
        """Return every output, in the order of ``named``. An output that is used twice occurs twice."""
        single = (self.dataset, self.selection, self.distilled, self.soft, self.shard, self.neighbours)
        pools = (self.samples, *self.scores.values(), *self.real.values(), *self.validation.values())
        shards = (shard.output for pool in pools for shard in pool)
        return (*(value for value in single if value is not None), *shards, *self.fitted.values())

    def to_json(self) -> dict[str, Any]:
        """Return the inputs as JSON, if outputs are strings. Absent inputs have no entry."""
        value: dict[str, Any] = {name: getattr(self, name) for name in _SINGLE}
        value["samples"] = [shard.to_json() for shard in self.samples]
        for what in _BY_ROLE:
            by_role = getattr(self, what).items()
            value[what] = {role: [shard.to_json() for shard in shards] for role, shards in by_role}
        value["fitted"] = dict(self.fitted)
        return {name: part for name, part in value.items() if part}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Inputs[str]:
        """Read the inputs from the result of ``to_json``."""
        shards: dict[str, Any] = {"samples": _read(value.get("samples", ()))}
        for what in _BY_ROLE:
            shards[what] = {role: _read(each) for role, each in value.get(what, {}).items()}
        return Inputs(**{**value, **shards})


def _mapped(shards: Shards[T], change: Callable[[T], V]) -> Shards[V]:
    return tuple(shard.map(change) for shard in shards)


def _read(values: Any) -> Shards[str]:
    return tuple(Shard(**value) for value in values)


def _name(what: str, shard: Shard[Any]) -> str:
    return f"{what}/{shard.first_class}/{shard.block}"
