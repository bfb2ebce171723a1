"""Cells: one choice of each component and one seed of each axis."""

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
    """A configured component with its name in tables.

    Attributes:
        label: the name in tables.
        component: the component.
    """

    label: str
    component: C_co


@dataclass(frozen=True)
class PoolSize:
    """The number of candidates per class.

    Attributes:
        value: a number, a multiple of the IPC such as ``4x``, or None for all samples.
    """

    value: int | str | None

    def count(self, ipc: int) -> int | None:
        """Return the images per class at ``ipc``; None means all. ``Nx`` means ceil(N × IPC)."""
        if isinstance(self.value, str):
            return math.ceil(Fraction(self.value.removesuffix("x")) * ipc)
        return self.value


def twin_of(row: str, twin: str) -> str:
    """Return the name of a row's twin."""
    return f"{row}, {twin}"


@dataclass(frozen=True, eq=False)
class Row:
    """A row of the table: the components that make a distilled set, and the protocol of its evaluation.

    Attributes:
        name: its name.
        generator: the generator.
        selector: the selector.
        refiner: the refiner.
        pool: the size of the pool.
        labels: the labels of the distilled set.
        protocol: the protocol.
        published: published numbers of the method on any data set. They enter no key.
        local_protocol: the name of a local protocol in tables; None for a protocol with an id. It enters no key.
        borrowed: the generator whose prior refines the images, if it is not the row's own.
        original: the name of the row whose twin it is; None for other rows.
    """

    name: str
    generator: Choice[Generator]
    selector: Choice[Selector]
    refiner: Choice[Refiner]
    pool: PoolSize
    labels: Labels
    protocol: Protocol
    published: tuple[Published, ...] = ()
    local_protocol: str | None = None
    borrowed: Choice[Generator] | None = None
    original: str | None = None

    @property
    def protocol_name(self) -> str:
        """The name of the protocol in tables."""
        return self.local_protocol or self.protocol.id

    def describe(self) -> dict[str, str]:
        """Describe the row as text for tables. Exported files contain these texts, so they must not change."""
        labels, pool, refiner = self.labels, self.pool.value, self.refiner
        told = {
            "soft": f"soft, of {labels.teacher} at tau {labels.tau:g}, {labels.when.replace('-', ' ')}",
            "stored": f"stored, at tau {labels.tau:g}",
        }
        lent = "" if self.borrowed is None or refiner.component.identity else f", prior of {self.borrowed.label}"
        return {
            "generator": self.generator.label,
            "pool": "everything" if pool is None else str(pool),
            "selector": self.selector.label,
            "refiner": f"{refiner.label}{lent}",
            "labels": told.get(labels.use, labels.use),
            "protocol": self.protocol_name,
        }

    @property
    def lender(self) -> Choice[Generator]:
        """The generator whose prior refines the images."""
        return self.borrowed or self.generator

    @property
    def soft_students(self) -> bool:
        """True if students learn from the set's soft labels."""
        distillation = self.protocol.distillation
        return distillation is not None and distillation.labels == "cached"

    @property
    def live_teacher(self) -> str | None:
        """The role of the scorer that labels each batch during training; None without dynamic labels."""
        distillation = self.protocol.distillation
        return None if distillation is None else distillation.teacher


@dataclass(frozen=True, eq=False)
class Cell:
    """One training: a row with one IPC, one student and one seed of each axis.

    Attributes:
        row: the row.
        ipc: images per class.
        student: the student.
        generation_seed: the seed of generation.
        selection_seed: the seed of selection.
        training_seed: the seed of training.
    """

    row: Row
    ipc: int
    student: Choice[Student]
    generation_seed: int
    selection_seed: int
    training_seed: int

    @property
    def sized(self) -> bool:
        """True if the IPC decides the number of images; False if the selector takes all."""
        return not self.row.selector.component.takes_all

    @property
    def size(self) -> dict[str, int]:
        """The setting of the set's size. A set of all images has none, so all IPCs share it."""
        return {"ipc": self.ipc} if self.sized else {}

    @property
    def size_text(self) -> str:
        """The set's size for display."""
        return f"IPC {self.ipc}" if self.sized else "all images"

    @property
    def seeds(self) -> dict[str, int]:
        """The seed of each axis."""
        return {
            "generation": self.generation_seed,
            "selection": self.selection_seed,
            "training": self.training_seed,
        }

    def describe(self) -> dict[str, Any]:
        """Describe the cell as JSON for result files."""
        return {
            "method": self.row.name,
            "generator": self.row.generator.label,
            "selector": self.row.selector.label,
            "refiner": self.row.refiner.label,
            "pool": self.row.pool.count(self.ipc),
            "labels": self.row.labels.use,
            "protocol": self.row.protocol_name,
            "ipc": self.ipc,
            "student": self.student.label,
            "seeds": self.seeds,
        }
