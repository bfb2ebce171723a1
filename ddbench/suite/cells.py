"""Cells: one choice of everything, one seed of each axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from ddbench.api import Component, Generator, Refiner, Selector, Student
    from ddbench.protocol.protocol import Protocol
    from ddbench.suite.model import Labels
    from ddbench.suite.published import Published

C_co = TypeVar("C_co", bound="Component", covariant=True)


@dataclass(frozen=True, eq=False)
class Choice(Generic[C_co]):
    """A configured component and the name that tables give it."""

    label: str
    component: C_co


@dataclass(frozen=True)
class PoolSize:
    """Candidates a class: a number, a multiple of the IPC, or everything there is."""

    value: int | str | None

    def count(self, ipc: int) -> int | None:
        """Images a class at ``ipc``; None is everything. ``Nx`` is ceil(N × IPC)."""
        if isinstance(self.value, str):
            return math.ceil(Fraction(self.value.removesuffix("x")) * ipc)
        return self.value


@dataclass(frozen=True, eq=False)
class Row:
    """A row of the table: how a distilled set is made, and by which protocol it is judged.

    Attributes:
        published: what others have printed of it, on whatever data set; in no key.
    """

    name: str
    generator: Choice[Generator]
    selector: Choice[Selector]
    refiner: Choice[Refiner]
    pool: PoolSize
    labels: Labels
    protocol: Protocol
    published: tuple[Published, ...] = ()

    def describe(self) -> dict[str, str]:
        """The row in words: what tables say of it beside its name."""
        labels, pool = self.labels, self.pool.value
        soft = f"soft, of {labels.teacher} at tau {labels.tau:g}, {labels.when.replace('-', ' ')}"
        return {
            "generator": self.generator.label,
            "pool": "everything" if pool is None else str(pool),
            "selector": self.selector.label,
            "refiner": self.refiner.label,
            "labels": soft if labels.use == "soft" else "hard",
            "protocol": self.protocol.id,
        }

    @property
    def soft_students(self) -> bool:
        """Whether students learn from the set's soft labels."""
        distillation = self.protocol.distillation
        return distillation is not None and distillation.labels == "cached"

    @property
    def live_teacher(self) -> str | None:
        """The role of the scorer that labels the batches of students while they train."""
        distillation = self.protocol.distillation
        return None if distillation is None else distillation.teacher


@dataclass(frozen=True, eq=False)
class Cell:
    """One training: a row at one IPC, one student, one seed of each axis."""

    row: Row
    ipc: int
    student: Choice[Student]
    generation_seed: int
    selection_seed: int
    training_seed: int

    @property
    def seeds(self) -> dict[str, int]:
        """The seed of each axis."""
        return {
            "generation": self.generation_seed,
            "selection": self.selection_seed,
            "training": self.training_seed,
        }

    def describe(self) -> dict[str, Any]:
        """The cell in words, as JSON: what a result file carries."""
        return {
            "method": self.row.name,
            "generator": self.row.generator.label,
            "selector": self.row.selector.label,
            "refiner": self.row.refiner.label,
            "pool": self.row.pool.count(self.ipc),
            "labels": self.row.labels.use,
            "protocol": self.row.protocol.id,
            "ipc": self.ipc,
            "student": self.student.label,
            "seeds": self.seeds,
        }
