"""Build a DAG from cells, in which equal work is one node."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from ddbench.api import Component, Fittable, sha256_json
from ddbench.errors import SuiteError
from ddbench.limits import NODES
from ddbench.plan.dag import Graph
from ddbench.plan.inputs import Inputs, Shard, Shards
from ddbench.plan.node import ComponentRef, Node
from ddbench.suite import Cell, ResolvedSuite

if TYPE_CHECKING:
    from ddbench.api import Generator
    from ddbench.protocol.protocol import Protocol
    from ddbench.suite.cells import Choice

# Number of classes whose samples one node makes. Smaller nodes lose less when killed; larger nodes are fewer.
CLASSES_PER_SHARD = 10
# Number of training images on which a teacher is checked, at most.
CHECK_IMAGES = 1000
# Raise it if assessments change. It enters their keys, and no others.
ASSESSMENT = 1


def build_graph(suite: ResolvedSuite) -> Graph:
    """Plan every cell of a suite."""
    builder = _Builder(suite)
    cells = tuple((cell, builder.evaluation(cell)) for cell in suite.cells)
    assessed = [] if suite.assessor is None else [builder.assessment(cell) for cell in suite.cells if cell.sized]
    return Graph(builder.nodes, cells, tuple(dict.fromkeys(assessed)))


class _Builder:
    """A builder that adds the nodes of one cell after another. Recipe keys identify existing nodes."""

    def __init__(self, suite: ResolvedSuite) -> None:
        self.suite = suite
        self.nodes: dict[str, Node] = {}
        self._refs: dict[int, ComponentRef] = {}
        self._checks: dict[int, str] = {}
        self._memo: dict[tuple[Any, ...], Any] = {}
        axes = ("generation", "selection")
        self._varied = {axis for axis in axes if len({cell.seeds[axis] for cell in suite.cells}) > 1}
        dataset = self.ref(suite.dataset.component)
        self.dataset = self.add("dataset", {"dataset": dataset}, {}, Inputs(), suite.dataset.label)

    def ref(self, component: Component) -> ComponentRef:
        return self._refs.setdefault(id(component), ComponentRef(component))

    def add(
        self,
        stage: str,
        uses: Mapping[str, ComponentRef],
        settings: Mapping[str, Any],
        inputs: Inputs[str],
        label: str,
        worker_args: Mapping[str, Any] | None = None,
    ) -> str:
        node = Node(stage, uses, settings, inputs, label, worker_args or {}, self._checks_before(uses, inputs))
        if len(self.nodes) > NODES:
            hint = "use fewer seeds or smaller pools"
            raise SuiteError(f"the plan has more than {NODES:,} nodes", where=self.suite.file, hint=hint)
        return self.nodes.setdefault(node.recipe_key, node).recipe_key

    def _checks_before(self, uses: Mapping[str, ComponentRef], inputs: Inputs[str]) -> frozenset[str]:
        """Return the checks of the teachers that a node uses, and those before its inputs."""
        if not self._checks:
            return frozenset()
        own = {self._checks[id(ref.component)] for ref in uses.values() if id(ref.component) in self._checks}
        return frozenset(own).union(*(self.nodes[key].checks for key in inputs.values()))

    def label(self, cell: Cell) -> str:
        """Return a distilled set's name for display: row, IPC and the seeds that vary in this suite."""
        return f"{cell.row.name} · {cell.size_text}{self.seeds(cell, 'generation')}{self.seeds(cell, 'selection')}"

    def seeds(self, cell: Cell, axis: str) -> str:
        """Return the cell's seed of an axis for display, if the suite has several; else an empty text."""
        return f" · {axis} {cell.seeds[axis]}" if axis in self._varied else ""

    def using(self, **components: Component) -> dict[str, ComponentRef]:
        """Return a node's components by their part in it, including the data set that they are loaded for."""
        return {part: self.ref(c) for part, c in {**components, "dataset": self.suite.dataset.component}.items()}

    def fitted(self, part: str, component: Component, label: str, seed: int | None = None) -> dict[str, str]:
        """Return the fit of a component by its part in the node, or nothing if it has no fit."""
        if not isinstance(component, Fittable):
            return {}
        key, settings = ("fit", id(component), seed), {} if seed is None else {"seed": seed}
        if key not in self._memo:
            uses = self.using(**{component.kind: component.for_fit()})
            self._memo[key] = self.add("fit", uses, settings, Inputs(dataset=self.dataset), label)
        return {part: self._memo[key]}

    def fitted_generator(self, generator: Generator, label: str, cell: Cell) -> dict[str, str]:
        """Return the fit of a generator for a cell, or nothing if it has no fit."""
        return self.fitted("generator", generator, label, cell.generation_seed if generator.fits_by_seed else None)

    def generator(self, cell: Cell) -> Generator:
        """Return the generator of the cell's pool."""
        return self.at_ipc(cell.row.generator, cell.ipc)[0]

    def at_ipc(self, choice: Choice[Generator], ipc: int) -> tuple[Generator, str]:
        """Return the generator for an IPC and its name for display, with the IPC if each IPC has its own pool."""
        key = ("generator", id(choice.component), ipc)
        if key not in self._memo:
            self._memo[key] = choice.component.for_ipc(ipc)
        found: Generator = self._memo[key]
        return found, choice.label if found is choice.component else f"{choice.label} · IPC {ipc}"

    def pool_label(self, cell: Cell) -> str:
        """Return the name of the cell's pool for display."""
        return self.at_ipc(cell.row.generator, cell.ipc)[1]

    def shards(self, cell: Cell) -> Shards[str]:
        """Return the pool's shards that the cell's prefix touches, in the order of classes and then of blocks."""
        generator = self.generator(cell)
        count = cell.row.pool.count(cell.ipc)
        blocks = 1 if generator.finite or count is None else -(-count // generator.block)
        key = ("shards", id(generator), blocks, cell.generation_seed)
        if key not in self._memo:
            self._memo[key] = tuple(self._make_shards(generator, cell, blocks))
        found: Shards[str] = self._memo[key]
        return found

    def _make_shards(self, generator: Generator, cell: Cell, blocks: int) -> Iterator[Shard[str]]:
        label = self.pool_label(cell)
        inputs = Inputs(dataset=self.dataset, fitted=self.fitted_generator(generator, self.pool_label(cell), cell))
        uses, inputs = self._with_teacher(self.using(generator=generator), inputs, generator.needs_teacher)
        seed = {"seed": cell.generation_seed} if generator.seeded else {}
        for first, last in self.class_spans():
            for block in range(blocks):
                settings = {"classes": [first, last], "block": block, **seed}
                where = f"block {block}" if blocks > 1 or not generator.finite else "everything"
                text = f"{label} · classes {first}–{last - 1} · {where}{self.seeds(cell, 'generation')}"
                yield Shard(first, block, self.add("generate", uses, settings, inputs, text))

    def class_spans(self) -> list[list[int]]:
        """Return the range of classes, [first, last), that each node works on."""
        classes = len(self.suite.dataset.component.classes)
        return [[first, min(first + CLASSES_PER_SHARD, classes)] for first in range(0, classes, CLASSES_PER_SHARD)]

    def judging(self, part: str, role: str) -> tuple[dict[str, ComponentRef], Inputs[str]]:
        """Return the components and inputs of a node that uses the scorer of a role as its ``part``."""
        scorer = self.suite.scorers[role]
        label = f"{role}: {scorer.label}"
        if scorer.component.teaches and id(scorer.component) not in self._checks:
            inputs = Inputs(dataset=self.dataset, fitted=self.fitted("scorer", scorer.component, label))
            uses, settings = self.using(scorer=scorer.component), {"images": CHECK_IMAGES}
            self._checks[id(scorer.component)] = self.add("check", uses, settings, inputs, label)
        fitted = self.fitted(part, scorer.component, label)
        return self.using(**{part: scorer.component}), Inputs(dataset=self.dataset, fitted=fitted)

    def scores(self, shards: Shards[str], fields: Iterable[str], pool_label: str) -> dict[str, Shards[str]]:
        """Return the scores of the shards by each role that writes one of the fields."""
        return {role: tuple(self._score(shard, role, pool_label) for shard in shards) for role in _roles(fields)}

    def _score(self, shard: Shard[str], role: str, pool_label: str) -> Shard[str]:
        def score(samples: str) -> str:
            key = ("score", role, samples)
            if key not in self._memo:
                uses, inputs = self.judging("scorer", role)
                text = f"{role} · {pool_label} {shard.first_class}/{shard.block}"
                self._memo[key] = self.add("score", uses, {}, replace(inputs, shard=samples), text)
            return cast("str", self._memo[key])

        return shard.map(score)

    def real_scores(self, fields: Iterable[str]) -> dict[str, Shards[str]]:
        """Return the scores of the real training images by each role that writes one of the fields."""
        return {role: tuple(self._score_real(role, "real", {})) for role in _roles(fields)}

    def _score_real(self, role: str, what: str, split: Mapping[str, str]) -> Iterator[Shard[str]]:
        uses, inputs = self.judging("scorer", role)
        for first, last in self.class_spans():
            text = f"{role} · {what} images of classes {first}–{last - 1}"
            yield Shard(first, 0, self.add("score", uses, {"classes": [first, last], **split}, inputs, text))

    def once(self, what: str, cell: Cell, make: Callable[[Cell], str]) -> str:
        """Return the node that ``make`` plans. Plan it once for all cells that share a distilled set."""
        key = (what, id(cell.row), cell.ipc, cell.generation_seed, cell.selection_seed)
        found: str = self._memo.get(key) or self._memo.setdefault(key, make(cell))
        return found

    def chosen(self, cell: Cell) -> str:
        """Return the node whose output is the images that the cell's selector chose."""
        return self.once("chosen", cell, self._choose)

    def _choose(self, cell: Cell) -> str:
        selector, label, count = cell.row.selector.component, self.label(cell), cell.row.pool.count(cell.ipc)
        samples = self.shards(cell)
        settings: dict[str, Any] = cell.size if count is None else {**cell.size, "pool": count}
        if selector.seeded:
            settings["seed"] = cell.selection_seed
        inputs = Inputs(
            dataset=self.dataset,
            samples=samples,
            scores=self.scores(samples, (*selector.needs, *selector.needs_class), self.pool_label(cell)),
            real=self.real_scores(selector.needs_real),
        )
        selection = self.add("select", {"selector": self.ref(selector)}, settings, inputs, label)
        return self.add("distill", {}, cell.size, Inputs(selection=selection, samples=samples), label)

    def distilled(self, cell: Cell) -> str:
        """Return the node whose output the cell's student is trained on."""
        identity = cell.row.refiner.component.identity
        return self.chosen(cell) if identity else self.once("refined", cell, self._refine)

    def _refine(self, cell: Cell) -> str:
        refiner, (generator, label) = cell.row.refiner.component, self.at_ipc(cell.row.lender, cell.ipc)
        chosen, borrowed = self.chosen(cell), self.generator(cell).borrowed_prior
        uses = self.using(refiner=refiner, generator=generator)
        fitted = self.fitted_generator(generator, label, cell)
        inputs = Inputs(dataset=self.dataset, distilled=chosen, fitted=fitted)
        settings: dict[str, Any] = cell.size
        if borrowed is not None:
            settings["latents"] = "encoded" if borrowed.encode else "stored"
        if refiner.seeded:
            settings["seed"] = cell.selection_seed
        if refiner.needs_soft:
            uses, inputs = self._with_teacher(uses, inputs, cell.row.labels.teacher)
            inputs = replace(inputs, soft=self.labelled(cell, chosen))
            settings["tau"] = cell.row.labels.tau
        return self.add("refine", uses, settings, inputs, self.label(cell))

    def _with_teacher(
        self, uses: dict[str, ComponentRef], inputs: Inputs[str], role: str | None
    ) -> tuple[dict[str, ComponentRef], Inputs[str]]:
        """Return the components and inputs, with the scorer of a role, if there is one, added as the teacher."""
        if role is None:
            return uses, inputs
        teacher, its_inputs = self.judging("teacher", role)
        return {**uses, **teacher}, replace(inputs, fitted={**inputs.fitted, **its_inputs.fitted})

    def labelled(self, cell: Cell, images: str) -> str:
        """Return the node with the soft labels of the images of another node, which the row's teacher gives or gave.

        Stored labels belong to images as they were chosen.
        """
        if cell.row.labels.use == "stored":
            gathered = self.nodes[images].inputs
            inputs = Inputs(dataset=self.dataset, selection=gathered.selection, samples=gathered.samples)
            return self.add("label", {}, {}, inputs, f"stored · {self.label(cell)}")
        role = cell.row.labels.teacher
        uses, inputs = self.judging("scorer", role)
        return self.add("label", uses, {}, replace(inputs, distilled=images), f"{role} · {self.label(cell)}")

    def assessment(self, cell: Cell) -> str:
        """Return the node that assesses the images of the cell's distilled set, without its labels."""
        return self.once("assessed", cell, self._assess)

    def _assess(self, cell: Cell) -> str:
        role, made = cast("str", self.suite.assessor), {"version": ASSESSMENT}
        real = self.real_scores([f"{role}.embedding"])
        validation = {role: tuple(self._score_real(role, "validation", {"split": "validation"}))}
        shared = Inputs(dataset=self.dataset, real=real, validation=validation)
        label = f"{role} · {cell.size_text}"
        neighbours = self.add("neighbours", self.using(), {**cell.size, **made}, shared, label)
        uses, inputs = self.judging("scorer", role)
        own = replace(shared, distilled=self.distilled(cell), neighbours=neighbours, fitted=inputs.fitted)
        return self.add("assess", uses, made, own, f"{role} · {self.label(cell)}")

    def evaluation(self, cell: Cell) -> str:
        """Return the node that makes the cell's result."""
        row, distilled = cell.row, self.distilled(cell)
        values, digest = self._protocol(row.protocol)
        uses = self.using(evaluator=self.suite.evaluator.component, student=cell.student.component)
        inputs = Inputs(dataset=self.dataset, distilled=distilled)
        settings = {
            **cell.size,
            "protocol": {"id": row.protocol.id, "sha256": digest},
            "evaluation": self.suite.evaluation.keyed(),
            "seed": cell.training_seed,
        }
        if row.soft_students:
            seen = self.chosen(cell) if row.labels.when == "before-refine" else distilled
            inputs = replace(inputs, soft=self.labelled(cell, seen))
            settings["tau"] = row.labels.tau
        if row.labels.use == "shuffled":
            settings["shuffled"] = cell.selection_seed
        uses, inputs = self._with_teacher(uses, inputs, row.live_teacher)
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
    """Return the sorted roles of fields such as ``teacher.logits``."""
    return sorted({field.partition(".")[0] for field in fields})
