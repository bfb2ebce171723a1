"""The number of different distilled sets of each row."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddbench.plan import Graph


def set_counts(graph: Graph) -> dict[str, dict[int, int]]:
    """Return the number of different distilled sets by row and IPC. Seeds that a row does not use add none."""
    found: dict[str, dict[int, set[str | None]]] = defaultdict(lambda: defaultdict(set))
    for cell, key in graph.cells:
        found[cell.row.name][cell.ipc].add(graph.nodes[key].inputs.distilled)
    return {row: {ipc: len(sets) for ipc, sets in own.items()} for row, own in found.items()}


def sets_line(counts: Mapping[str, Mapping[int, int]]) -> str:
    """Return one line: the most frequent number of sets, and the rows with another number."""
    usual = Counter(number for own in counts.values() for number in own.values()).most_common(1)[0][0]
    others: dict[int, list[str]] = defaultdict(list)
    for row, own in counts.items():
        for number in sorted({*own.values()} - {usual}):
            ipcs = [str(ipc) for ipc in own if own[ipc] == number]
            others[number].append(row if len(ipcs) == len(own) else f"{row} (IPC {', '.join(ipcs)})")
    parts = [f"{number} of {', '.join(rows)}" for number, rows in sorted(others.items())]
    return f"distilled sets of each row and IPC: {'; '.join([str(usual), *parts])}"
