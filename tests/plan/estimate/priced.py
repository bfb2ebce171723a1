"""Components with a declared price, and a suite of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ddbench
from ddbench import Context, Cost, Generator, NetworkCost, Refiner, Samples, Scorer, Student, component
from ddbench.api.cost import Work
from ddbench.api.work import Decode, Fit, Loss, Refine, Sample, Score
from ddbench.plan import Node, State
from ddbench.plan.estimate.estimate import Estimate, StageEstimate, estimate
from ddbench.registry import Catalogue
from ddbench.store import Store
from tests.plan.plans import Values, plan

SAMPLE, LOOK, NETWORK = 1_000_000, 5_000, 700
TRAIN, VALIDATION, CLASSES = 36, 18, 3  # of the data set `dots`


@component("generator", "priced", version=1)
class Priced(Generator):
    """Endless, and its price is known."""

    class Params(ddbench.Params):
        block: int = 1
        gigaflops: float = SAMPLE / 1e9
        name: str = ""

    params: Params
    has_latents = True

    @property
    def block(self) -> int:
        return self.params.block

    def cost(self, work: Work) -> Cost | None:
        sample = Cost(round(self.params.gigaflops * 1e9), half_flops=0, memory_bytes=2**30, disk_bytes=200)
        return {Sample: sample, Loss: Cost(10), Decode: Cost(7)}.get(type(work))

    def missing(self) -> str:
        return "weights of priced are missing; fetch them"

    def sample_block(self, class_index: int, block: int, ctx: Context) -> Samples:
        raise AssertionError("nothing is made here")


@component("scorer", "priced", version=1)
class PricedScorer(Scorer):
    """A teacher whose price is known."""

    provides = ("logits", "embedding")
    provides_per_class = ("column",)
    teaches = True

    def fit(self, data: Any, out_dir: Path, ctx: Context) -> None:
        raise AssertionError("nothing is fitted here")

    def cost(self, work: Work) -> Cost:
        if isinstance(work, Score):
            return Cost(LOOK, disk_bytes=40)
        assert isinstance(work, Fit)
        assert work.dataset.train_counts is not None
        return Cost(sum(work.dataset.train_counts) * LOOK, disk_bytes=1000)

    def score_block(self, images: Any, ctx: Context) -> Any:
        raise AssertionError("nothing is scored here")


@component("refiner", "priced", version=1)
class PricedRefiner(Refiner):
    """Twice the loss, once the picture, once the teacher."""

    needs_latents = True
    needs_soft = True

    def cost(self, work: Work) -> Cost | None:
        assert isinstance(work, Refine)
        assert work.teacher is not None
        generator, dataset = work.generator, work.dataset
        loss, decoded = generator.cost(Loss(dataset)), generator.cost(Decode(dataset))
        asked = work.teacher.cost(Score(dataset))
        return None if loss is None or decoded is None or asked is None else loss * 2 + decoded + asked

    def refine(self, *args: Any) -> Any:
        raise AssertionError("nothing is refined here")


@component("student", "priced", version=1)
class PricedStudent(Student):
    """A student whose price is known."""

    class Params(ddbench.Params):
        flops: int = NETWORK
        launches: int = 0

    params: Params

    def network_cost(self, num_classes: int, image_size: int) -> NetworkCost:
        flops, launches = self.params.flops, self.params.launches
        return NetworkCost(flops, launches=launches, parameters=11, activations=13, embedding=2)

    def build(self, num_classes: int, image_size: int, channels: int = 3) -> Any:
        raise AssertionError("nothing is built here")


SUITE: Values = {
    "suite": "costs",
    "dataset": "dots",
    "protocol": "minimax-hard@1",
    "ipc": [1, 2],
    "students": [{"use": "priced"}],
    "numerics": "reference",
    "seeds": {"training": [0, 1, 2]},
    "generators": {"endless": {"use": "priced", "block": 2}},
    "scorers": {"teacher": {"use": "priced"}},
    "methods": {
        "first": {"generator": "endless", "selector": "first"},
        "center": {"generator": "endless", "selector": "k-center", "pool": "2x"},
    },
}
# IPC 1 is trained for 3000 epochs, IPC 2 for 2000, each measured once.
TRAININGS = 3 * NETWORK * (CLASSES * 3000 + 2 * CLASSES * 2000) + 2 * NETWORK * VALIDATION


def estimated(folder: Path, values: Values, known: Catalogue, device: str | None = None) -> Estimate:
    graph = plan(folder, values, known)
    return estimate(State(graph, Store(folder / "store")).resolve_all(), device)


def stages(found: Estimate) -> dict[str, StageEstimate]:
    return {stage.stage: stage for stage in found.stages}


# Seconds that a node of each stage took, as stores of these tests say.
WALL = {
    "dataset": 2.0,
    "fit": 60.0,
    "check": 5.0,
    "generate": 3.0,
    "score": 6.0,
    "select": 12.0,
    "distill": 1.0,
    "evaluate": 90.0,
}


def wall(node: Node) -> float:
    return WALL[node.stage]
