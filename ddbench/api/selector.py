"""Selectors: choose the candidates of the distilled set."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from operator import index
from typing import TYPE_CHECKING, Any, ClassVar

from ddbench.api.component import Component
from ddbench.api.pool import Selection
from ddbench.errors import ComponentError
from ddbench.text import counted

if TYPE_CHECKING:
    from ddbench.api.context import Context
    from ddbench.api.pool import Pool


_THEIR_MISTAKE = "this is a mistake in the selector"


def _is_position(value: Any) -> bool:
    """Return whether a value is a whole number of Python, NumPy or torch, and no entry of a mask."""
    try:
        return (
            not isinstance(value, bool) and "bool" not in str(getattr(value, "dtype", "")) and index(value) is not None
        )
    except TypeError:
        return False


@dataclass(frozen=True)
class Chosen:
    """The samples chosen within one class, with details.

    Attributes:
        indices: positions in the class's pool, in the selector's documented order.
        scores: one number for each chosen sample; None if there are none.
        info: further JSON values to store with the selection.
    """

    indices: Sequence[int]
    scores: Sequence[float] | None = None
    info: Mapping[str, Any] = field(default_factory=dict)


class Selector(Component):
    """A selector chooses exactly ``ipc`` different samples of each class, or all of them.

    Implement ``select_class`` (one class at a time) or override ``choose`` (all classes jointly). A selector sees only
    the pool of its own cell, a prefix of the generated pool.

    Attributes:
        kind: ``selector``.
        default_pool: the pool size if the suite gives none; ``4x`` is four times the IPC.
        takes_all: True if it chooses every sample at each IPC. Classes may then differ in size.
    """

    kind: ClassVar[str] = "selector"
    default_pool: ClassVar[str] = "4x"
    takes_all: ClassVar[bool] = False

    @classmethod
    def _unimplemented(cls) -> list[str]:
        """Return ``select_class`` and ``choose`` if the class implements neither."""
        neither = cls.select_class is Selector.select_class and cls.choose is Selector.choose
        return ["select_class", "choose"] if neither else []

    @property
    def needs(self) -> tuple[str, ...]:
        """Fields that the pool must have, as ``ROLE.name``; by default those that ``FieldName`` parameters name."""
        return self.params.field_names

    @property
    def needs_class(self) -> tuple[str, ...]:
        """Class fields that the pool must have, as ``ROLE.name``. They may depend on the parameters."""
        return ()

    @property
    def needs_real(self) -> tuple[str, ...]:
        """Fields of the real training images, as ``ROLE.name``, that ``pool.real`` must have."""
        return ()

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int] | Chosen:
        """Return positions within ``pool``, in the selector's documented order.

        Args:
            pool: the samples of one class.
            ipc: the number of samples to choose.
            ctx: seed and device.
        """
        raise ComponentError(f"{self.label()} implements neither select_class nor choose")

    def choose(self, pool: Pool, ipc: int, ctx: Context) -> Selection:
        """Return positions within ``pool`` for every class; by default, call ``select_class`` for each class."""
        parts: list[Chosen] = []
        per_class: list[tuple[int, ...]] = []
        for class_index, positions in enumerate(pool.by_class):
            part = self.select_class(pool.of_class(class_index), ipc, ctx)
            part = part if isinstance(part, Chosen) else Chosen(part)
            wanted = self._wanted(ipc, len(positions))
            self._check(part.indices, wanted, len(positions), pool.class_names[class_index])
            parts.append(part)
            per_class.append(tuple(positions[int(i)] for i in part.indices))
        scores = tuple(tuple(map(float, p.scores)) for p in parts if p.scores is not None)
        info = {str(c): dict(p.info) for c, p in enumerate(parts) if p.info}
        return Selection(tuple(per_class), scores if len(scores) == len(parts) else None, info)

    def select(self, pool: Pool, ipc: int, ctx: Context) -> Selection:
        """Choose the samples of every class and check the selection.

        Raises:
            ComponentError: a class has fewer than ``ipc`` candidates or none, or the selector broke its contract. It
                must choose ``ipc`` samples of each class, or all, no sample twice, and no sample of another class.
        """
        for name, positions in zip(pool.class_names, pool.by_class, strict=True):
            wanted = self._wanted(ipc, len(positions)) or 1
            if len(positions) < wanted:
                raise ComponentError(
                    f"{self.label()} must choose {wanted} of only {len(positions)} candidates of class '{name}'",
                    hint="enlarge the pool or lower the IPC",
                )
        selection = self.choose(pool, ipc, ctx)
        self._check_choice(pool, ipc, selection)
        self._check_scores(pool, selection)
        return selection

    def _check_choice(self, pool: Pool, ipc: int, selection: Selection) -> None:
        """Raise ComponentError unless the wanted number of samples is chosen of each class."""
        if not isinstance(selection, Selection):
            problem = f"returned {type(selection).__name__} from choose, not Selection"
            raise ComponentError(f"{self.label()} {problem}", hint=_THEIR_MISTAKE)
        classes = len(selection.per_class)
        if classes != len(pool.class_names):
            raise ComponentError(
                f"{self.label()} chose for {classes} classes, not {len(pool.class_names)}", hint=_THEIR_MISTAKE
            )
        for class_index, name in enumerate(pool.class_names):
            own = set(pool.by_class[class_index])
            chosen = selection.per_class[class_index]
            self._check(chosen, self._wanted(ipc, len(own)), len(pool), name)
            if not own.issuperset(chosen):
                raise ComponentError(f"{self.label()} chose a sample of another class for class '{name}'")

    def _check_scores(self, pool: Pool, selection: Selection) -> None:
        """Raise ComponentError for scores that are not finite."""
        for name, scores in zip(pool.class_names, selection.scores or (), strict=False):
            if not all(map(math.isfinite, scores)):
                raise ComponentError(f"{self.label()} gave NaN or infinite scores for class '{name}'")

    def _wanted(self, ipc: int, candidates: int) -> int:
        """Return the number of samples to choose of a class with so many candidates."""
        return candidates if self.takes_all else ipc

    def _check(self, chosen: Sequence[int], wanted: int, size: int, class_name: str) -> None:
        """Raise ComponentError unless one class has ``wanted`` different positions below ``size``."""
        problem = None
        if not hasattr(chosen, "__len__"):
            problem = f"returned {type(chosen).__name__}, not positions,"
        elif len(chosen) != wanted:
            problem = f"chose {counted(len(chosen), 'sample')}, not {wanted},"
        elif (wrong := next((i for i in chosen if not _is_position(i)), None)) is not None:
            problem = f"chose {wrong!r}, which is not a position,"
        elif len({int(i) for i in chosen}) != wanted:
            problem = "chose the same sample twice"
        elif not all(0 <= int(i) < size for i in chosen):
            problem = f"chose a position outside 0…{size - 1}"
        if problem:
            raise ComponentError(f"{self.label()} {problem} for class '{class_name}'", hint=_THEIR_MISTAKE)
