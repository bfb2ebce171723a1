"""The data of figures: results, and what a store holds of the distilled sets."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ddbench.errors import StoreError
from ddbench.report.leaderboard import Entry, Leaderboard, leaderboard_of
from ddbench.report.results import Results
from ddbench.sets.chosen import planned_sets
from ddbench.sets.selections import SelectionReader, StoredSelection
from ddbench.text import counted

if TYPE_CHECKING:
    from ddbench.plan import State
    from ddbench.suite import ResolvedSuite


class NothingToDrawError(Exception):
    """The data of a figure is missing. The message is the reason, in one clause."""


@dataclass(frozen=True)
class Shared:
    """A stored selection, and the rows that use it.

    Attributes:
        rows: the names of the rows.
        selection: the selection of their first set.
    """

    rows: tuple[str, ...]
    selection: StoredSelection

    @property
    def title(self) -> str:
        """The name of the first row, and the number of the others."""
        more = len(self.rows) - 1
        return self.rows[0] + (f" (and {counted(more, 'row')} with this choice)" if more else "")


@dataclass(frozen=True, eq=False)
class Source:
    """The data of figures.

    Attributes:
        results: the results of a suite.
        ipc: images per class of figures that show one size of sets.
        store: the suite and the state of its plan; None for exported results, which have no artifacts.
    """

    results: Results
    ipc: int
    store: tuple[ResolvedSuite, State] | None = None

    @cached_property
    def board(self) -> Leaderboard:
        """The leaderboard."""
        return leaderboard_of(self.results)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The places of the leaderboard that have results. Raise NothingToDrawError if there are none."""
        found = tuple(entry for entry in self.board.entries if entry.last is not None)
        if not found:
            raise NothingToDrawError("there are no results yet")
        return found

    @cached_property
    def selections(self) -> tuple[Shared, ...]:
        """The stored selections at ``ipc``, in the order of the rows. Raise NothingToDrawError if there are none."""
        if self.store is None:
            raise NothingToDrawError("exported results hold no pools; draw it from a store")
        found: dict[str, tuple[list[str], StoredSelection]] = {}
        for name, selection in self._read[0].items():
            found.setdefault(selection.key, ([], selection))[0].append(name)
        if not found:
            raise NothingToDrawError(f"no row has a stored selection at IPC {self.ipc}")
        return tuple(Shared(tuple(rows), selection) for rows, selection in found.values())

    @property
    def missing(self) -> dict[str, str]:
        """The rows that some figures lack, with the reason."""
        measured = {entry.method for entry in self.board.entries if entry.last is not None}
        without = {name: "it has no results yet" for name in self.results.rows if name not in measured}
        return without | self._read[1]

    @cached_property
    def _read(self) -> tuple[dict[str, StoredSelection], dict[str, str]]:
        """The selection of the first set of each row, and the reasons for the rows whose set cannot be read."""
        found: dict[str, StoredSelection] = {}
        missing: dict[str, str] = {}
        if self.store is not None:
            reader = SelectionReader(*self.store)
            for name in self.results.rows:
                for chosen in planned_sets(self.store[1], name, self.ipc)[:1]:
                    try:
                        found[name] = reader.read(chosen)
                    except StoreError as error:
                        missing[name] = str(error)
        return found, missing


def usual_ipc(results: Results) -> int:
    """Return the IPC that most rows have; the highest of several."""
    counts = Counter(ipc for ipc, _ in {(trial.ipc, trial.method) for trial in results.trials})
    return max(counts, key=lambda ipc: (counts[ipc], ipc))
