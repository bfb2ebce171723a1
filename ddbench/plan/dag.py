"""The plan of a suite: nodes, and the cells that they serve."""

from __future__ import annotations

from dataclasses import dataclass

from ddbench.plan.node import Node
from ddbench.suite import Cell


@dataclass(frozen=True, eq=False)
class Graph:
    """The plan of a suite.

    Attributes:
        nodes: the nodes by recipe key; every node comes after its inputs.
        cells: each cell with the recipe key of its evaluation.
        assessments: the recipe keys of the assessments of distilled sets, if the suite asks for them.
    """

    nodes: dict[str, Node]
    cells: tuple[tuple[Cell, str], ...]
    assessments: tuple[str, ...] = ()

    @property
    def wanted(self) -> tuple[str, ...]:
        """The recipe keys of all nodes whose outputs a run must make. They need all other nodes."""
        return (*(key for _, key in self.cells), *self.assessments)

    def ancestors(self, recipe_key: str) -> set[str]:
        """Return the recipe keys of all nodes that must be finished before a node runs."""
        found: set[str] = set()
        waiting = [recipe_key]
        while waiting:
            for parent in self.nodes[waiting.pop()].parents:
                if parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        return found

    def dependents(self) -> dict[str, list[str]]:
        """Return, for each node, the nodes that wait for it."""
        found: dict[str, list[str]] = {key: [] for key in self.nodes}
        for key, node in self.nodes.items():
            for parent in node.parents:
                found[parent].append(key)
        return found
