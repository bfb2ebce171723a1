"""The work of each node of a plan: its images and their cost."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from ddbench.api import Cost, EvaluationSettings, canonical_json
from ddbench.api.cost import COLOURS, FLOAT, PASSES_OF_TRAINING, Work
from ddbench.api.work import Fit, Refine, Sample, Score, Train
from ddbench.errors import StoreError
from ddbench.plan.node import Node
from ddbench.plan.stages import STAGES
from ddbench.plan.state import State
from ddbench.protocol.protocol import Protocol
from ddbench.record import Part, parse_part
from ddbench.record.run_record import Count
from ddbench.registry.blame import describe
from ddbench.stats.chance import checked_per_class
from ddbench.stats.embeddings import SIDE

if TYPE_CHECKING:
    from ddbench.api import Component, Dataset, Generator, Scorer, Student

V = TypeVar("V")
# Bytes of a stored distance.
_DISTANCE: Final = 8


class _Sizes(Part):
    validation: Count


class _DatasetContent(Part):
    """The part of a data set's stored content that an estimate needs."""

    sizes: _Sizes


@dataclass(frozen=True)
class NodeWork:
    """The work of one node.

    Attributes:
        kind: the kind of work. The time of nodes of one kind depends only on their units.
        images: the images that the node makes, scores or trains on; None if unknown or not applicable.
        units: the amount of work, which decides its time; None if unknown.
        cost: the declared cost.
    """

    kind: str
    images: int | None
    units: int | None
    cost: Cost


class Workload:
    """The work of every node of a plan, computed on demand.

    Attributes:
        state: the state of the plan.
        nodes: the nodes by recipe key.
        problems: a line for each cost whose code failed.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self.nodes = state.graph.nodes
        self._memo: dict[Hashable, Any] = {}
        self.problems: dict[str, None] = {}

    def of(self, key: str) -> NodeWork:
        """Return the work of a node."""
        return self._once(key, lambda: NodeWork(kind_of_node(self.nodes[key]), *self._work(self.nodes[key])))

    def _once(self, key: Hashable, find: Callable[[], V]) -> V:
        if key not in self._memo:
            self._memo[key] = find()
        return cast("V", self._memo[key])

    def _price(self, component: Component, work: Work) -> Cost:
        """Return a component's cost of some work, computed once."""
        return self._once((component, work), lambda: self._declared(component, work))

    def _declared(self, component: Component, work: Work) -> Cost:
        """Return the cost that a component declares; an unknown one if its code fails, which ``problems`` says."""
        try:
            cost = component.cost(work)
        except Exception as error:
            package = type(component).__module__.partition(".")[0]
            self.problems[f"{component.label()} has a broken cost: {describe(error, {package})}"] = None
            return Cost()
        if cost is not None and not isinstance(cost, Cost):
            self.problems[f"{component.label()} has a broken cost: it returned {cost!r}, not a Cost"] = None
            return Cost()
        return cost or Cost()

    def _work(self, node: Node) -> tuple[int | None, int | None, Cost]:
        """Return images, units and cost of a node."""
        match node.stage:
            case "dataset":
                return None, 1, Cost(flops=0, disk_bytes=0)
            case "fit":
                role = next(role for role in node.uses if role != "dataset")
                return None, 1, self._price(node.uses[role].component, Fit(self.dataset))
            case "select":
                pool, ipc = self._pool(node), node.settings.get("ipc")
                images = pool if ipc is None else ipc * len(self.dataset.classes)
                return images, pool, Cost(0, disk_bytes=0)
            case "distill":
                images = self._images(node.inputs.selection)
                stored = _times(self._sample(self.nodes[node.inputs.samples[0].output]), images).disk_bytes
                return images, stored, Cost(flops=0, disk_bytes=stored)
            case "neighbours":
                return self._neighbours(node)
            case "evaluate":
                return self._evaluate(node)
        images, cost = self._each_image(node)
        return images, images, _times(cost, images)

    def _each_image(self, node: Node) -> tuple[int | None, Cost]:
        """Return the images of a node and the cost of one image."""
        match node.stage:
            case "generate":
                return self._generated(node), self._sample(node)
            case "check":
                cost = self._price(node.uses["scorer"].component, Score(self.dataset))
                return self._checked(node), replace(cost, disk_bytes=0)
            case "score":
                return self._scored(node), self._price(node.uses["scorer"].component, Score(self.dataset))
            case "label":
                asked, stored = node.uses.get("scorer"), FLOAT * len(self.dataset.classes)
                cost = Cost(flops=0) if asked is None else self._price(asked.component, Score(self.dataset))
                images = self._images(node.inputs.distilled or node.inputs.selection)
                return images, replace(cost, disk_bytes=stored)
            case "assess":
                return self._images(node.inputs.distilled), self._assessed(node)
        work = Refine(self.dataset, generator_of(node), _teacher(node))
        cost = self._price(node.uses["refiner"].component, work)
        return self._images(node.inputs.distilled), replace(cost, disk_bytes=self._sample(node).disk_bytes)

    def _images(self, key: str | None) -> int | None:
        """Return the images of a node."""
        return None if key is None else self.of(key).images

    def _sample(self, node: Node) -> Cost:
        generator = generator_of(node)
        return self._price(generator, Sample(self.dataset, _teacher(node) if generator.needs_teacher else None))

    def _generated(self, node: Node) -> int | None:
        generator, (first, last) = generator_of(node), node.settings["classes"]
        if not generator.finite:
            return int(last - first) * generator.block
        available = self._once(("available", generator), lambda: generator.available(self.dataset))
        return None if available is None else sum(available[first:last])

    def _scored(self, node: Node) -> int | None:
        if node.inputs.shard is not None:
            return self._images(node.inputs.shard)
        counts = self.dataset.validation_counts if "split" in node.settings else self.dataset.train_counts
        return None if counts is None else sum(counts[slice(*node.settings["classes"])])

    def _checked(self, node: Node) -> int | None:
        """Return the training images on which a teacher is checked; None if the smallest class is unknown."""
        counts, classes = self.dataset.train_counts, len(self.dataset.classes)
        return None if counts is None else classes * min(checked_per_class(node.settings["images"], classes), *counts)

    def _neighbours(self, node: Node) -> tuple[int | None, int | None, Cost]:
        """Return images, units and cost of the distances between the training images of each class."""
        counts = self.dataset.train_counts
        if counts is None:
            return None, None, Cost()
        (scores,) = node.inputs.real.values()
        values = _values(self._price(self.nodes[scores[0].output].uses["scorer"].component, Score(self.dataset)))
        flops = None if values is None else sum(2 * count**2 * values for count in counts)
        return sum(counts), sum(counts), Cost(flops, disk_bytes=_DISTANCE * sum(counts))

    def _assessed(self, node: Node) -> Cost:
        """Return the cost of scoring an image, and of its distances to all real images.

        Its pixels are compared twice, with and without a mirror.
        """
        cost, counts = self._price(node.uses["scorer"].component, Score(self.dataset)), self.dataset.train_counts
        values, size = _values(cost), self.validation_size
        if values is None or counts is None or size is None:
            return Cost(memory_bytes=cost.memory_bytes)
        compared = 2 * (values + 2 * COLOURS * SIDE**2) * (sum(counts) + size)
        return replace(cost + Cost(compared, memory_bytes=0, disk_bytes=0), disk_bytes=4 * _DISTANCE)

    def _pool(self, node: Node) -> int | None:
        """Return the images that a selector chooses from."""
        pool = node.settings.get("pool")
        if pool is not None:
            return int(pool) * len(self.dataset.classes)
        shards = [self._images(shard.output) for shard in node.inputs.samples]
        return None if None in shards else sum(images or 0 for images in shards)

    def _evaluate(self, node: Node) -> tuple[int | None, int | None, Cost]:
        images = self._images(node.inputs.distilled)
        if images is None:
            return None, None, Cost()
        ipc = node.settings.get("ipc", images // len(self.dataset.classes))
        protocol, student = self._protocol(node), cast("Student", node.uses["student"].component)
        evaluation, size = evaluation_of(node), self.validation_size
        work = Train(self.dataset, ipc, student, protocol, _teacher(node), evaluation, size)
        cost = self._price(node.uses["evaluator"].component, work)
        if size is None:
            return images, None, cost
        classes = len(self.dataset.classes)
        epochs = protocol.epochs(ipc, classes)
        times = len(protocol.evaluation_epochs(epochs)) if evaluation.evaluate == "papers" else 1
        return images, passes(protocol, classes, ipc, size * times), cost

    def _protocol(self, node: Node) -> Protocol:
        digest = node.settings["protocol"]["sha256"]
        return self._once(digest, lambda: Protocol.model_validate(node.worker_args["protocol"]))

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
        """Number of validation images, from the data set or else from a stored run; None if unknown."""
        counts = self.dataset.validation_counts
        if counts is not None:
            return sum(counts)
        key = next(key for key, node in self.nodes.items() if node.stage == "dataset")
        if not self.state.has_payload(key):
            return None
        try:
            content = self.state.store.artifact(self.state.action_keys[key]).content()
            return parse_part(_DatasetContent, content, "description of a data set").sizes.validation
        except StoreError:
            return None


def generator_of(node: Node) -> Generator:
    """Return the generator of a node."""
    return cast("Generator", node.uses["generator"].component)


def _teacher(node: Node) -> Scorer | None:
    return cast("Scorer", node.uses["teacher"].component) if "teacher" in node.uses else None


def evaluation_of(node: Node) -> EvaluationSettings:
    """Return the evaluation settings of an evaluation node."""
    return EvaluationSettings.model_validate(node.settings["evaluation"])


def _values(cost: Cost) -> int | None:
    """Return how many numbers a scorer stores for an image. Its embedding is most of them."""
    return None if cost.disk_bytes is None else cost.disk_bytes // FLOAT


def _times(cost: Cost, images: int | None) -> Cost:
    return Cost(memory_bytes=cost.memory_bytes) if images is None else cost * images


def passes(protocol: Protocol, classes: int, ipc: int, measured: int) -> int:
    """Return the work of a training and of ``measured`` predictions, counted in forward passes."""
    return PASSES_OF_TRAINING * ipc * classes * protocol.epochs(ipc, classes) + measured


def kind_of_node(node: Node) -> str:
    """Return a node's kind of work: everything that decides its speed."""
    if STAGES[node.stage].makes_result:
        uses = {role: ref.address for role, ref in node.uses.items()}
        return kind_of_evaluation(uses, node.settings["protocol"], evaluation_of(node).numerics)
    return kind_of_recipe(node.stage, {role: ref.keyed for role, ref in node.uses.items()}, node.settings)


def kind_of_recipe(stage: str, uses: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Return the kind of work of a recipe that is not an evaluation."""
    ipc = settings.get("ipc") if stage == "select" else None
    return canonical_json([stage, uses, ipc])


def kind_of_evaluation(uses: Mapping[str, Any], protocol: Mapping[str, Any], numerics: str) -> str:
    """Return the kind of an evaluation."""
    return canonical_json(["evaluate", uses, protocol, numerics])
