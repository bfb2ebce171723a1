"""What each node of a plan has to do: how many images, and what they take."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ddbench.api import Cost, EvaluationSettings, canonical_json
from ddbench.api.cost import FLOAT, PASSES_OF_TRAINING
from ddbench.errors import StoreError
from ddbench.plan.node import Node
from ddbench.plan.stages import STAGES
from ddbench.plan.state import State
from ddbench.protocol.protocol import Protocol

if TYPE_CHECKING:
    from ddbench.api import Dataset, Evaluator, Generator, Refiner, Scorer, Student

V = TypeVar("V")


@dataclass(frozen=True)
class Work:
    """The work of one node.

    Attributes:
        kind: equal for work of one kind, whose time grows with its units.
        images: that it makes, looks at or learns from; None where that is not known, and for stages without.
        units: None where not known.
    """

    kind: str
    images: int | None
    units: int | None
    cost: Cost


class Workload:
    """The work of every node, found out when asked for."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.nodes = state.graph.nodes
        self._known: dict[Hashable, Any] = {}
        self._how: dict[str, Callable[[str, Node], tuple[int | None, int | None, Cost]]] = {
            "dataset": self._once,
            "fit": self._fit,
            "generate": self._generate,
            "score": self._score,
            "select": self._select,
            "distill": self._distill,
            "label": self._label,
            "refine": self._refine,
            "evaluate": self._evaluate,
        }

    def of(self, key: str) -> Work:
        """The work of a node."""

        def find_out() -> Work:
            node = self.nodes[key]
            images, units, cost = self._how[node.stage](key, node)
            return Work(kind_of_node(node), images, units, cost)

        return self._once_for(("work", key), find_out)

    def _once_for(self, what: Hashable, find_out: Callable[[], V]) -> V:
        if what not in self._known:
            self._known[what] = find_out()
        return cast("V", self._known[what])

    def _images(self, key: str | None) -> int | None:
        """The images that a node makes or deals with."""
        return None if key is None else self.of(key).images

    def _once(self, key: str, node: Node) -> tuple[int | None, int | None, Cost]:
        return None, 1, Cost(flops=0, disk_bytes=0)

    def _fit(self, key: str, node: Node) -> tuple[int | None, int | None, Cost]:
        role = next(role for role in node.uses if role != "dataset")
        fitted = cast("Generator | Scorer", node.uses[role].component)
        return None, 1, fitted.fit_cost(self.dataset) or Cost()

    def _generate(self, key: str, node: Node) -> tuple[int | None, int | None, Cost]:
        generator = generator_of(node)
        first, last = node.settings["classes"]
        images: int | None = (last - first) * generator.block
        if generator.finite:
            available = self._once_for(("available", id(generator)), lambda: generator.available(self.dataset))
            images = None if available is None else sum(available[first:last])
        return images, images, _times(self._sample(node), images)

    def _sample(self, node: Node) -> Cost:
        """What one sample of the generator of a node takes."""
        generator = generator_of(node)
        return self._once_for(("sample", id(generator)), lambda: generator.cost(self.dataset) or Cost())

    def _score(self, key: str, node: Node) -> tuple[int | None, int | None, Cost]:
        if node.inputs.shard is not None:
            images = self._images(node.inputs.shard)
        else:
            counts = self.dataset.train_counts
            images = None if counts is None else sum(counts[slice(*node.settings["classes"])])
        return images, images, _times(self._asked(node, "scorer"), images)

    def _asked(self, node: Node, role: str) -> Cost:
        """What a scorer says of one image takes."""
        scorer = cast("Scorer", node.uses[role].component)
        return self._once_for(("asked", id(scorer)), lambda: scorer.cost(self.dataset) or Cost())

    def _select(self, key: str, node: Node) -> tuple[int | None, int | None, Cost]:
        classes = len(self.dataset.classes)
        pool = node.settings.get("pool")
        if pool is not None:
            units: int | None = pool * classes
        else:
            shards = [self._images(shard.output) for shard in node.inputs.samples]
            units = None if None in shards else sum(images or 0 for images in shards)
        return node.settings["ipc"] * classes, units, Cost(flops=0, disk_bytes=0)

    def _distill(self, key: str, node: Node) -> tuple[int | None, int | None, Cost]:
        images = self._images(node.inputs.selection)
        stored = _times(self._sample(self.nodes[node.inputs.samples[0].output]), images).disk_bytes
        return images, stored, Cost(flops=0, disk_bytes=stored)

    def _label(self, key: str, node: Node) -> tuple[int | None, int | None, Cost]:
        images = self._images(node.inputs.distilled)
        cost = replace(self._asked(node, "scorer"), disk_bytes=FLOAT * len(self.dataset.classes))
        return images, images, _times(cost, images)

    def _refine(self, key: str, node: Node) -> tuple[int | None, int | None, Cost]:
        images = self._images(node.inputs.distilled)
        refiner, generator = cast("Refiner", node.uses["refiner"].component), generator_of(node)
        teacher = cast("Scorer", node.uses["teacher"].component) if "teacher" in node.uses else None
        cost = refiner.cost(generator, teacher, self.dataset) or Cost()
        return images, images, _times(replace(cost, disk_bytes=self._sample(node).disk_bytes), images)

    def _evaluate(self, key: str, node: Node) -> tuple[int | None, int | None, Cost]:
        images = self._images(node.inputs.distilled)
        if images is None:
            return None, None, Cost()
        what = {role: id(ref.component) for role, ref in node.uses.items()}
        how = (node.settings["protocol"]["sha256"], canonical_json(node.settings["evaluation"]))
        known = (images, *sorted(what.items()), *how)
        return images, self._passes(node), self._once_for(known, lambda: self._training(node))

    def _passes(self, node: Node) -> int | None:
        protocol, classes = self._protocol(node), len(self.dataset.classes)
        if self.validation_size is None:
            return None
        epochs = protocol.epochs(node.settings["ipc"], classes)
        times = len(protocol.evaluation_epochs(epochs)) if evaluation_of(node).evaluate == "papers" else 1
        return passes(protocol, classes, node.settings["ipc"], self.validation_size * times)

    def _training(self, node: Node) -> Cost:
        evaluator = cast("Evaluator", node.uses["evaluator"].component)
        cost = evaluator.cost(
            node.settings["ipc"],
            self.dataset,
            cast("Student", node.uses["student"].component),
            self._protocol(node),
            cast("Scorer", node.uses["teacher"].component) if "teacher" in node.uses else None,
            evaluation=evaluation_of(node),
            validation_size=self.validation_size,
        )
        return cost or Cost()

    def _protocol(self, node: Node) -> Protocol:
        return self._once_for(
            node.settings["protocol"]["sha256"], lambda: Protocol.model_validate(node.worker_args["protocol"])
        )

    @cached_property
    def dataset(self) -> Dataset:
        """The data set of the plan."""
        node = next(node for node in self.nodes.values() if node.stage == "dataset")
        return cast("Dataset", node.uses["dataset"].component)

    @cached_property
    def protocols(self) -> dict[str, Protocol]:
        """The protocols of the plan by their digests."""
        nodes = (node for node in self.nodes.values() if STAGES[node.stage].makes_result)
        return {node.settings["protocol"]["sha256"]: self._protocol(node) for node in nodes}

    @cached_property
    def validation_size(self) -> int | None:
        """Validation images, from the data set or else from what a run has stored of it; None where not known."""
        counts = self.dataset.validation_counts
        if counts is not None:
            return sum(counts)
        key = next(key for key, node in self.nodes.items() if node.stage == "dataset")
        if not self.state.has_payload(key):
            return None
        try:
            size: int = self.state.store.artifact(self.state.action_keys[key]).content()["sizes"]["validation"]
        except StoreError:
            return None
        return size


def generator_of(node: Node) -> Generator:
    """The generator that a node works with."""
    return cast("Generator", node.uses["generator"].component)


def evaluation_of(node: Node) -> EvaluationSettings:
    """Return the settings of a node that evaluates."""
    return EvaluationSettings.model_validate(node.settings["evaluation"])


def _times(cost: Cost, images: int | None) -> Cost:
    return Cost(memory_bytes=cost.memory_bytes) if images is None else cost * images


def passes(protocol: Protocol, classes: int, ipc: int, measured: int) -> int:
    """Return the forward passes, or what takes as long, of a training and of ``measured`` predictions."""
    return PASSES_OF_TRAINING * ipc * classes * protocol.epochs(ipc, classes) + measured


def kind_of_node(node: Node) -> str:
    """What decides how fast a node goes, but for how much it has to do."""
    if STAGES[node.stage].makes_result:
        uses = {role: ref.address for role, ref in node.uses.items()}
        return kind_of_evaluation(uses, node.settings["protocol"], evaluation_of(node).numerics)
    return kind_of_recipe(node.stage, {role: ref.keyed for role, ref in node.uses.items()}, node.settings)


def kind_of_recipe(stage: str, uses: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """The kind of work that is not an evaluation."""
    ipc = settings.get("ipc") if stage == "select" else None
    return canonical_json([stage, uses, ipc])


def kind_of_evaluation(uses: Mapping[str, Any], protocol: Mapping[str, Any], numerics: str) -> str:
    """The kind of an evaluation."""
    return canonical_json(["evaluate", uses, protocol, numerics])
