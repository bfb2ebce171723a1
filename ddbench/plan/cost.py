"""What a plan costs: images, operations, hours, memory, disk, and what must be fetched first."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ddbench.plan.cost_devices import assumed_seconds, choose_device
from ddbench.plan.cost_timings import TENSORS, Timings
from ddbench.plan.cost_work import Work, Workload, generator_of
from ddbench.plan.missing import missing_here
from ddbench.plan.node import Node
from ddbench.plan.stages import STAGES
from ddbench.plan.state import State
from ddbench.toolkit.hardware import Device

RECORDED: Final = "recorded timings"
DECLARED: Final = "FLOPs"


@dataclass
class Amount:
    """A sum over nodes.

    Attributes:
        known: the sum over those of which it is known; None where it is of none.
        unknown: of how many nodes it is not known.
    """

    known: float | None = None
    unknown: int = 0

    def add(self, value: float | None) -> None:
        """Add a node's part."""
        if value is None:
            self.unknown += 1
        else:
            self.known = (self.known or 0) + value


@dataclass
class StageCost:
    """What the nodes of one stage cost.

    Attributes:
        images: that they make, look at or learn from.
        seconds, seconds_left: of one worker on the device, for all nodes and for those that a run would execute.
        rests_on: what the seconds were estimated from.
        memory_bytes: about the most that one node holds, by what it was counted of: tensors, declared or recorded on a
            GPU, and processes, recorded. No such two are compared.
        memory_unknown: of how many nodes it is not known, but for those that compute no network.
    """

    stage: str
    nodes: int = 0
    images: Amount = field(default_factory=Amount)
    flops: Amount = field(default_factory=Amount)
    seconds: Amount = field(default_factory=Amount)
    seconds_left: Amount = field(default_factory=Amount)
    disk_bytes: Amount = field(default_factory=Amount)
    rests_on: set[str] = field(default_factory=set)
    memory_bytes: dict[str, int] = field(default_factory=dict)
    memory_unknown: int = 0


@dataclass(frozen=True)
class Sharing:
    """Images that endless generators make for a plan, and that they would make with one pool a cell."""

    images: int
    apart: int

    @property
    def factor(self) -> float:
        """How many times fewer images the plan makes; below 1 where whole blocks are more than cells ask for."""
        return self.apart / self.images


@dataclass(frozen=True)
class Bill:
    """What a plan costs on one device.

    Attributes:
        missing: what is not on this machine and needed by what is to run, each with its remedy.
        sharing: None where nothing is generated.
    """

    device: Device
    stages: tuple[StageCost, ...]
    missing: tuple[str, ...]
    sharing: Sharing | None

    def total(self, what: str) -> Amount:
        """The sum of one of the amounts over all stages."""
        found = Amount()
        for stage in self.stages:
            part: Amount = getattr(stage, what)
            found.unknown += part.unknown
            if part.known is not None:
                found.add(part.known)
        return found

    def hungriest(self, counted: str) -> StageCost | None:
        """The stage that holds most memory, of those of which it was counted so."""
        known = [stage for stage in self.stages if counted in stage.memory_bytes]
        return max(known, key=lambda stage: stage.memory_bytes[counted], default=None)


def make_bill(state: State, device: str | None = None) -> Bill:
    """What a plan costs. Raises DdbenchError for a device of which nothing is known."""
    work = Workload(state)
    timings = Timings(state.store, work)
    return _Estimate(state, work, timings, choose_device(device, timings.seconds)).bill()


class _Estimate:
    """Sums up what the nodes of a plan cost."""

    def __init__(self, state: State, work: Workload, timings: Timings, device: Device) -> None:
        self.state = state
        self.work = work
        self.timings = timings
        self.device = device
        self.to_run = state.to_run()

    def bill(self) -> Bill:
        stages = {stage: StageCost(stage) for stage in STAGES}
        for key, node in self.state.graph.nodes.items():
            self.add(stages[node.stage], key, node)
        present = {node.stage for node in self.state.graph.nodes.values()}
        return Bill(
            self.device,
            tuple(cost for stage, cost in stages.items() if stage in present),
            missing_here(self.state),
            self.sharing(),
        )

    def add(self, stage: StageCost, key: str, node: Node) -> None:
        """Add a node to its stage."""
        work = self.work.of(key)
        stage.nodes += 1
        stage.images.add(work.images)
        stage.flops.add(work.cost.flops)
        manifest = self.state.manifests.get(key)
        stage.disk_bytes.add(work.cost.disk_bytes if manifest is None else manifest.size)
        seconds, rests_on = self.seconds(work, node)
        stage.seconds.add(seconds)
        if key in self.to_run:
            stage.seconds_left.add(seconds)
        if rests_on:
            stage.rests_on.add(rests_on)
        memory = self.memory(work)
        for counted, held in memory.items():
            stage.memory_bytes[counted] = max(held, stage.memory_bytes.get(counted, 0))
        if not memory and work.cost.flops != 0:
            stage.memory_unknown += 1

    def seconds(self, work: Work, node: Node) -> tuple[float | None, str | None]:
        """How long a node takes, and what that rests on."""
        seconds = None if work.units is None else self.timings.estimate(work.kind, self.device.name, work.units)
        if seconds is not None:
            return seconds, RECORDED
        seconds = assumed_seconds(self.device, work.cost, node.stage, node.threads)
        return seconds, None if seconds is None else DECLARED

    def memory(self, work: Work) -> dict[str, int]:
        """About the most that a node holds, as recorded or else as declared, by what it was counted of."""
        recorded, declared = self.timings.memory(work.kind, self.device.name), work.cost.memory_bytes
        return recorded or ({} if declared is None else {TENSORS: declared})

    def sharing(self) -> Sharing | None:
        """How many images are generated, and how many would be with one pool a cell."""
        endless = [
            (key, node)
            for key, node in self.state.graph.nodes.items()
            if node.stage == "generate" and not generator_of(node).finite
        ]
        if not endless:
            return None
        apart = 0
        for cell, _ in self.state.graph.cells:
            generator = cell.row.generator.component
            if not generator.finite:
                apart += (cell.row.pool.count(cell.ipc) or generator.block) * len(self.work.dataset.classes)
        return Sharing(sum(self.work.of(key).images or 0 for key, _ in endless), apart)
