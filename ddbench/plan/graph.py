"""Cells to a DAG in which equal work is one node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ddbench.api import Component, Fittable, sha256_json
from ddbench.plan.node import ComponentRef, Node
from ddbench.suite import Cell, ResolvedSuite

if TYPE_CHECKING:
    from ddbench.api import Generator
    from ddbench.protocol.protocol import Protocol

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
        worker_args: Mapping[str, Any] | None = None,
    ) -> str:
        node = Node(stage, uses, settings, inputs, label, worker_args or {})
        return self.nodes.setdefault(node.recipe_key, node).recipe_key

    def label(self, cell: Cell) -> str:
        """A distilled set for people: its row, its IPC, and the seeds that vary in this suite."""
        return f"{cell.row.name} · IPC {cell.ipc}{self.seeds(cell, 'generation')}{self.seeds(cell, 'selection')}"

    def seeds(self, cell: Cell, axis: str) -> str:
        """The cell's seed of an axis, if the suite has several."""
        return f" · {axis} {cell.seeds[axis]}" if axis in self._varied else ""

    def using(self, **components: Component) -> dict[str, ComponentRef]:
        """The components of a node, by their role in it, with the data set that they are loaded for."""
        return {role: self.ref(c) for role, c in {**components, "dataset": self.suite.dataset.component}.items()}

    def fitted(self, role: str, component: Component, label: str) -> dict[str, str]:
        """The input ``fitted/ROLE`` of a component that has a fit, else nothing."""
        if not isinstance(component, Fittable):
            return {}
        key = ("fit", id(component))
        if key not in self._memo:
            uses = self.using(**{component.kind: component.for_fit()})
            self._memo[key] = self.add("fit", uses, {}, {"dataset": self.dataset}, label)
        return {f"fitted/{role}": self._memo[key]}

    def generator(self, cell: Cell) -> Generator:
        """What makes the cell's pool."""
        generator = cell.row.generator.component
        key = ("generator", id(generator), cell.ipc)
        if key not in self._memo:
            self._memo[key] = generator.for_ipc(cell.ipc)
        found: Generator = self._memo[key]
        return found

    def pool_label(self, cell: Cell) -> str:
        """The generator for people, with the IPC if it makes another pool for each."""
        own = self.generator(cell) is not cell.row.generator.component
        return f"{cell.row.generator.label} · IPC {cell.ipc}" if own else cell.row.generator.label

    def shards(self, cell: Cell) -> dict[str, str]:
        """The pool's shards that the cell's prefix touches, by ``first class/block``."""
        generator = self.generator(cell)
        count = cell.row.pool.count(cell.ipc)
        blocks = 1 if generator.finite or count is None else -(-count // generator.block)
        key = ("shards", id(generator), blocks, cell.generation_seed)
        if key not in self._memo:
            self._memo[key] = self._make_shards(generator, cell, blocks)
        found: dict[str, str] = self._memo[key]
        return found

    def _make_shards(self, generator: Generator, cell: Cell, blocks: int) -> dict[str, str]:
        label = self.pool_label(cell)
        uses = self.using(generator=generator)
        inputs = {"dataset": self.dataset, **self.fitted("generator", generator, label)}
        seed = {"seed": cell.generation_seed} if generator.seeded else {}
        shards: dict[str, str] = {}
        for first, last in self.class_spans():
            for block in range(blocks):
                settings = {"classes": [first, last], "block": block, **seed}
                where = f"block {block}" if blocks > 1 or not generator.finite else "everything"
                text = f"{label} · classes {first}–{last - 1} · {where}{self.seeds(cell, 'generation')}"
                shards[f"{first}/{block}"] = self.add("generate", uses, settings, inputs, text)
        return shards

    def class_spans(self) -> list[list[int]]:
        """The classes whose samples one node deals with, as [first, last)."""
        classes = len(self.suite.dataset.component.classes)
        return [[first, min(first + CLASSES_PER_SHARD, classes)] for first in range(0, classes, CLASSES_PER_SHARD)]

    def judging(self, as_role: str, role: str) -> tuple[dict[str, ComponentRef], dict[str, str]]:
        """The components and inputs of a node that asks, under ``as_role``, the scorer that has a role in the suite."""
        scorer = self.suite.scorers[role]
        fitted = self.fitted(as_role, scorer.component, f"{role}: {scorer.label}")
        return self.using(**{as_role: scorer.component}), {"dataset": self.dataset, **fitted}

    def scores(self, shards: Mapping[str, str], fields: Iterable[str], pool_label: str) -> dict[str, str]:
        """The score nodes of the shards for each role that writes one of the fields, by ``scores/role/shard``."""
        found: dict[str, str] = {}
        for role in _roles(fields):
            uses, inputs = self.judging("scorer", role)
            for shard, samples in shards.items():
                key = ("score", role, samples)
                if key not in self._memo:
                    own = {**inputs, "samples": samples}
                    self._memo[key] = self.add("score", uses, {}, own, f"{role} · {pool_label} {shard}")
                found[f"scores/{role}/{shard}"] = self._memo[key]
        return found

    def real_scores(self, fields: Iterable[str]) -> dict[str, str]:
        """The score nodes of the real training images for each role that writes one of the fields."""
        found: dict[str, str] = {}
        for role in _roles(fields):
            uses, inputs = self.judging("scorer", role)
            for first, last in self.class_spans():
                text = f"{role} · real images of classes {first}–{last - 1}"
                found[f"real/{role}/{first}/0"] = self.add("score", uses, {"classes": [first, last]}, inputs, text)
        return found

    def once(self, what: str, cell: Cell, make: Callable[[Cell], str]) -> str:
        """The node that ``make`` plans, planned once for all cells whose students are trained on one distilled set."""
        key = (what, id(cell.row), cell.ipc, cell.generation_seed, cell.selection_seed)
        if key not in self._memo:
            self._memo[key] = make(cell)
        found: str = self._memo[key]
        return found

    def chosen(self, cell: Cell) -> str:
        """The node whose output are the images that the cell's selector chose."""
        return self.once("chosen", cell, self._choose)

    def _choose(self, cell: Cell) -> str:
        row, selector = cell.row, cell.row.selector.component
        label = self.label(cell)
        shards = self.shards(cell)
        samples = {f"samples/{shard}": node for shard, node in shards.items()}
        scores = self.scores(shards, (*selector.needs, *selector.needs_class), self.pool_label(cell))
        settings: dict[str, Any] = {"ipc": cell.ipc, "pool": row.pool.count(cell.ipc)}
        if selector.seeded:
            settings["seed"] = cell.selection_seed
        inputs = {"dataset": self.dataset, **samples, **scores, **self.real_scores(selector.needs_real)}
        selection = self.add("select", {"selector": self.ref(selector)}, settings, inputs, label)
        return self.add("distill", {}, {}, {"selection": selection, **samples}, label)

    def distilled(self, cell: Cell) -> str:
        """The node whose output the cell's students are trained on."""
        identity = cell.row.refiner.component.identity
        return self.chosen(cell) if identity else self.once("refined", cell, self._refine)

    def _refine(self, cell: Cell) -> str:
        refiner, generator = cell.row.refiner.component, self.generator(cell)
        chosen = self.chosen(cell)
        uses = self.using(refiner=refiner, generator=generator)
        inputs = {"distilled": chosen, "dataset": self.dataset}
        inputs |= self.fitted("generator", generator, self.pool_label(cell))
        settings: dict[str, Any] = {"seed": cell.selection_seed} if refiner.seeded else {}
        if refiner.needs_soft:
            teacher, its_inputs = self.judging("teacher", cell.row.labels.teacher)
            uses, inputs = {**uses, **teacher}, {**inputs, **its_inputs, "soft": self.labelled(cell, chosen)}
            settings["temperature"] = cell.row.labels.tau
        return self.add("refine", uses, settings, inputs, self.label(cell))

    def labelled(self, cell: Cell, images: str) -> str:
        """The node that asks the row's teacher about the images that another node makes."""
        role = cell.row.labels.teacher
        uses, inputs = self.judging("scorer", role)
        return self.add("label", uses, {}, {**inputs, "distilled": images}, f"{role} · {self.label(cell)}")

    def evaluation(self, cell: Cell) -> str:
        """The node that makes the cell's result."""
        row, distilled = cell.row, self.distilled(cell)
        values, digest = self._protocol(row.protocol)
        uses = self.using(evaluator=self.suite.evaluator.component, student=cell.student.component)
        inputs = {"distilled": distilled, "dataset": self.dataset}
        settings = {
            "protocol": {"id": row.protocol.id, "sha256": digest},
            "numerics": self.suite.numerics,
            "cadence": self.suite.cadence,
            "seed": cell.training_seed,
        }
        if row.soft_students:
            seen = self.chosen(cell) if row.labels.when == "before-refine" else distilled
            inputs["soft"] = self.labelled(cell, seen)
            settings["temperature"] = row.labels.tau
        if row.live_teacher is not None:
            teacher, its_inputs = self.judging("teacher", row.live_teacher)
            uses, inputs = {**uses, **teacher}, {**inputs, **its_inputs}
        label = f"{cell.student.label} seed {cell.training_seed} · {self.label(cell)}"
        return self.add("evaluate", uses, settings, inputs, label, {"protocol": values})

    def _protocol(self, protocol: Protocol) -> tuple[dict[str, Any], str]:
        key = ("protocol", protocol.id)
        if key not in self._memo:
            values = protocol.model_dump(mode="json")
            self._memo[key] = (values, sha256_json(values))
        found: tuple[dict[str, Any], str] = self._memo[key]
        return found


def _roles(fields: Iterable[str]) -> list[str]:
    """The roles of fields such as ``teacher.logits``."""
    return sorted({field.partition(".")[0] for field in fields})
