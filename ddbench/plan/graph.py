"""Cells to a DAG in which equal work is one node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ddbench.api import Component, Fittable, sha256_json
from ddbench.plan.node import ComponentRef, Node
from ddbench.suite import Cell, ResolvedSuite

if TYPE_CHECKING:
    from ddbench.api import Generator
    from ddbench.train.protocol import Protocol

# Classes whose samples are made by one node: small enough to lose little when killed, large enough to be few.
CLASSES_PER_SHARD = 10


@dataclass(frozen=True, eq=False)
class Graph:
    """The plan of a suite.

    Attributes:
        nodes: by recipe key; every node stands after its inputs.
        cells: each cell with the recipe key of its evaluation.
    """

    nodes: dict[str, Node]
    cells: tuple[tuple[Cell, str], ...]

    def ancestors(self, recipe_key: str) -> set[str]:
        """Everything that a node's output depends on."""
        found: set[str] = set()
        waiting = [recipe_key]
        while waiting:
            for parent in self.nodes[waiting.pop()].inputs.values():
                if parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        return found

    def dependents(self) -> dict[str, list[str]]:
        """For each node the nodes that take its output."""
        found: dict[str, list[str]] = {key: [] for key in self.nodes}
        for key, node in self.nodes.items():
            for parent in set(node.inputs.values()):
                found[parent].append(key)
        return found


def build_graph(suite: ResolvedSuite) -> Graph:
    """Plan every cell of a suite."""
    builder = _Builder(suite)
    cells = tuple((cell, builder.evaluation(cell)) for cell in suite.cells)
    return Graph(builder.nodes, cells)


class _Builder:
    """Adds the nodes of one cell after another; a node that exists already is found by its recipe key."""

    def __init__(self, suite: ResolvedSuite) -> None:
        self.suite = suite
        self.nodes: dict[str, Node] = {}
        self._refs: dict[int, ComponentRef] = {}
        self._memo: dict[tuple[Any, ...], Any] = {}
        axes = ("generation", "selection")
        self._varied = {axis for axis in axes if len({cell.seeds[axis] for cell in suite.cells}) > 1}
        dataset = self.ref(suite.dataset.component)
        self.dataset = self.add("dataset", {"dataset": dataset}, {}, {}, suite.dataset.label)

    def ref(self, component: Component) -> ComponentRef:
        return self._refs.setdefault(id(component), ComponentRef(component))

    def add(
        self,
        stage: str,
        uses: Mapping[str, ComponentRef],
        settings: Mapping[str, Any],
        inputs: Mapping[str, str],
        label: str,
        payload: Mapping[str, Any] | None = None,
    ) -> str:
        node = Node(stage, uses, settings, inputs, label, payload or {})
        return self.nodes.setdefault(node.recipe_key, node).recipe_key

    def label(self, cell: Cell) -> str:
        """A distilled set for people: its row, its IPC, and the seeds that vary in this suite."""
        return f"{cell.row.name} · IPC {cell.ipc}{self.seeds(cell, 'generation')}{self.seeds(cell, 'selection')}"

    def seeds(self, cell: Cell, axis: str) -> str:
        """The cell's seed of an axis, if the suite has several."""
        return f" · {axis} {cell.seeds[axis]}" if axis in self._varied else ""

    def fitted(self, role: str, component: Component, label: str) -> dict[str, str]:
        """The input ``fitted`` of a component that has a fit, else nothing."""
        if not isinstance(component, Fittable):
            return {}
        key = ("fit", id(component))
        if key not in self._memo:
            uses = {role: self.ref(component), "dataset": self.ref(self.suite.dataset.component)}
            self._memo[key] = self.add("fit", uses, {}, {"dataset": self.dataset}, label)
        return {"fitted": self._memo[key]}

    def shards(self, cell: Cell) -> dict[str, str]:
        """The pool's shards that the cell's prefix touches, by ``first class/block``."""
        generator = cell.row.generator.component
        count = cell.row.pool.count(cell.ipc)
        blocks = 1 if generator.finite or count is None else -(-count // generator.block)
        key = ("shards", id(generator), blocks, cell.generation_seed)
        if key not in self._memo:
            self._memo[key] = self._make_shards(generator, cell, blocks)
        found: dict[str, str] = self._memo[key]
        return found

    def _make_shards(self, generator: Generator, cell: Cell, blocks: int) -> dict[str, str]:
        label = cell.row.generator.label
        uses = {"generator": self.ref(generator), "dataset": self.ref(self.suite.dataset.component)}
        inputs = {"dataset": self.dataset, **self.fitted("generator", generator, label)}
        seed = {"seed": cell.generation_seed} if generator.seeded else {}
        classes = len(self.suite.dataset.component.classes)
        shards: dict[str, str] = {}
        for first in range(0, classes, CLASSES_PER_SHARD):
            last = min(first + CLASSES_PER_SHARD, classes)
            for block in range(blocks):
                settings = {"classes": [first, last], "block": block, **seed}
                where = f"block {block}" if blocks > 1 or not generator.finite else "everything"
                text = f"{label} · classes {first}–{last - 1} · {where}{self.seeds(cell, 'generation')}"
                shards[f"{first}/{block}"] = self.add("generate", uses, settings, inputs, text)
        return shards

    def scores(self, shards: Mapping[str, str], roles: Iterable[str], pool_label: str) -> dict[str, str]:
        """The score nodes of the shards for each role, by ``role/shard``."""
        found: dict[str, str] = {}
        for role in sorted(set(roles)):
            scorer = self.suite.scorers[role]
            uses = {"scorer": self.ref(scorer.component), "dataset": self.ref(self.suite.dataset.component)}
            fitted = self.fitted("scorer", scorer.component, f"{role}: {scorer.label}")
            for shard, samples in shards.items():
                key = ("score", role, samples)
                if key not in self._memo:
                    inputs = {"samples": samples, "dataset": self.dataset, **fitted}
                    self._memo[key] = self.add("score", uses, {}, inputs, f"{role} · {pool_label} {shard}")
                found[f"{role}/{shard}"] = self._memo[key]
        return found

    def distilled(self, cell: Cell) -> str:
        """The node whose output the cell's students are trained on."""
        key = ("distilled", id(cell.row), cell.ipc, cell.generation_seed, cell.selection_seed)
        if key not in self._memo:
            self._memo[key] = self._make_distilled(cell)
        found: str = self._memo[key]
        return found

    def _make_distilled(self, cell: Cell) -> str:
        row, selector = cell.row, cell.row.selector.component
        label = self.label(cell)
        shards = self.shards(cell)
        samples = {f"samples/{shard}": node for shard, node in shards.items()}
        scores = self.scores(shards, (f.partition(".")[0] for f in selector.needs), row.generator.label)
        settings: dict[str, Any] = {"ipc": cell.ipc, "pool": row.pool.count(cell.ipc)}
        if selector.seeded:
            settings["seed"] = cell.selection_seed
        inputs = {"dataset": self.dataset, **samples, **{f"scores/{name}": node for name, node in scores.items()}}
        selection = self.add("select", {"selector": self.ref(selector)}, settings, inputs, label)
        distilled = self.add("distill", {}, {}, {"selection": selection, **samples}, label)
        return distilled if row.refiner.component.identity else self._refined(cell, distilled, label)

    def _refined(self, cell: Cell, distilled: str, label: str) -> str:
        refiner, generator = cell.row.refiner.component, cell.row.generator
        uses = {
            "refiner": self.ref(refiner),
            "generator": self.ref(generator.component),
            "dataset": self.ref(self.suite.dataset.component),
        }
        inputs = {"distilled": distilled, "dataset": self.dataset}
        inputs |= self.fitted("generator", generator.component, generator.label)
        settings = {"seed": cell.selection_seed} if refiner.seeded else {}
        return self.add("refine", uses, settings, inputs, label)

    def evaluation(self, cell: Cell) -> str:
        """The node that makes the cell's result."""
        protocol = cell.row.protocol
        uses = {
            "evaluator": self.ref(self.suite.evaluator.component),
            "student": self.ref(cell.student.component),
            "dataset": self.ref(self.suite.dataset.component),
        }
        values, digest = self._protocol(protocol)
        settings = {
            "protocol": {"id": protocol.id, "sha256": digest},
            "numerics": self.suite.numerics,
            "seed": cell.training_seed,
        }
        inputs = {"distilled": self.distilled(cell), "dataset": self.dataset}
        label = f"{cell.student.label} seed {cell.training_seed} · {self.label(cell)}"
        return self.add("evaluate", uses, settings, inputs, label, {"protocol": values})

    def _protocol(self, protocol: Protocol) -> tuple[dict[str, Any], str]:
        key = ("protocol", protocol.id)
        if key not in self._memo:
            values = protocol.model_dump(mode="json")
            self._memo[key] = (values, sha256_json(values))
        found: tuple[dict[str, Any], str] = self._memo[key]
        return found
