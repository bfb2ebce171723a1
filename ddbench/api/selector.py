"""Selectors: which candidates make the distilled set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from ddbench.api.component import Component
from ddbench.api.pool import Selection
from ddbench.errors import ComponentError

if TYPE_CHECKING:
    from ddbench.api.context import Context
    from ddbench.api.pool import Pool


_THEIR_MISTAKE = "this is a mistake in the selector"


@dataclass(frozen=True)
class Chosen:
    """What was chosen within one class, when there is more to say than the positions."""

    indices: Sequence[int]
    scores: Sequence[float] | None = None
    info: Mapping[str, Any] = field(default_factory=dict)


class Selector(Component):
    """Chooses exactly ``ipc`` different samples of each class.

    Implement ``select_class`` (one class at a time) or override ``choose`` (all classes jointly). A selector sees only
    the cell's own prefix of the pool.

    Attributes:
        default_pool: the pool size a cell gets unless its suite says otherwise: ``1x`` is one times the cell's IPC.
    """

    kind: ClassVar[str] = "selector"
    default_pool: ClassVar[str] = "4x"

    @property
    def needs(self) -> tuple[str, ...]:
        """Fields, as ``ROLE.name``, that the pool must carry, as configured."""
        return ()

    @property
    def needs_class(self) -> tuple[str, ...]:
        """Class fields, as ``ROLE.name``, that the pool must carry, as configured."""
        return ()

    @property
    def needs_real(self) -> tuple[str, ...]:
        """Fields, as ``ROLE.name``, of the real training images, which the selector finds as ``pool.real``."""
        return ()

    def select_class(self, pool: Pool, ipc: int, ctx: Context) -> Sequence[int] | Chosen:
        """Positions within ``pool``, which holds the samples of one class, in the selector's documented order."""
        raise ComponentError(f"{self.label()} implements neither select_class nor choose")

    def choose(self, pool: Pool, ipc: int, ctx: Context) -> Selection:
        """Positions within ``pool`` for every class; by default one ``select_class`` a class."""
        parts: list[Chosen] = []
        per_class: list[tuple[int, ...]] = []
        for class_index, positions in enumerate(pool.by_class):
            part = self.select_class(pool.of_class(class_index), ipc, ctx)
            part = part if isinstance(part, Chosen) else Chosen(part)
            self._check(part.indices, ipc, len(positions), pool.class_names[class_index])
            parts.append(part)
            per_class.append(tuple(positions[int(i)] for i in part.indices))
        scores = tuple(tuple(map(float, p.scores)) for p in parts if p.scores is not None)
        info = {str(c): dict(p.info) for c, p in enumerate(parts) if p.info}
        return Selection(tuple(per_class), scores if len(scores) == len(parts) else None, info)

    def select(self, pool: Pool, ipc: int, ctx: Context) -> Selection:
        """Choose, and hold the choice to its contract.

        Raises:
            ComponentError: a class has fewer than ``ipc`` candidates, or the selector broke its contract: a wrong
                number, the same sample twice, a sample of another class.
        """
        for name, positions in zip(pool.class_names, pool.by_class, strict=True):
            if len(positions) < ipc:
                raise ComponentError(
                    f"{self.label()} is to choose {ipc} of {len(positions)} candidates of class '{name}'",
                    hint="enlarge the pool or lower the IPC",
                )
        selection = self.choose(pool, ipc, ctx)
        classes = len(selection.per_class)
        if classes != len(pool.class_names):
            raise ComponentError(
                f"{self.label()} chose for {classes} classes, not {len(pool.class_names)}", hint=_THEIR_MISTAKE
            )
        for class_index, name in enumerate(pool.class_names):
            own = set(pool.by_class[class_index])
            chosen = selection.per_class[class_index]
            self._check(chosen, ipc, len(pool), name)
            if not own.issuperset(chosen):
                raise ComponentError(f"{self.label()} chose a sample of another class for class '{name}'")
        return selection

    def _check(self, chosen: Sequence[int], ipc: int, size: int, class_name: str) -> None:
        """Hold one class's choice to ``ipc`` different positions below ``size``."""
        problem = None
        if len(chosen) != ipc:
            problem = f"chose {len(chosen)} samples, not {ipc},"
        elif len({int(i) for i in chosen}) != ipc:
            problem = "chose the same sample twice"
        elif not all(0 <= int(i) < size for i in chosen):
            problem = f"chose a position outside 0…{size - 1}"
        if problem:
            raise ComponentError(f"{self.label()} {problem} for class '{class_name}'", hint=_THEIR_MISTAKE)
