"""The estimate of a plan: images, operations, hours, memory, disk, and missing data."""

from __future__ import annotations

from dataclasses import dataclass, field

from ddbench.plan.estimate.devices import LAUNCHES, assumed_seconds, choose_device
from ddbench.plan.estimate.timings import RECORDED, TENSORS, Timings
from ddbench.plan.estimate.work import NodeWork, Workload, generator_of
from ddbench.plan.missing import missing_here
from ddbench.plan.node import Node
from ddbench.plan.stages import STAGES
from ddbench.plan.state import State
from ddbench.toolkit.hardware import Device


@dataclass
class PartialSum:
    """A sum over nodes, some of which may be unknown.

    Attributes:
        known: the sum over the known nodes; None if no node is known.
        unknown: the number of unknown nodes.
        least: the number of nodes for which ``known`` holds only a lower bound.
    """

    known: float | None = None
    unknown: int = 0
    least: int = 0

    def add(self, value: float | None, *, least: bool = False) -> None:
        """Add a node's part. ``least`` marks it as a lower bound."""
        if value is None:
            self.unknown += 1
        else:
            self.known = (self.known or 0) + value
            self.least += least

    @property
    def is_lower_bound(self) -> bool:
        """True if the true sum may be larger."""
        return bool(self.unknown or self.least)


@dataclass
class StageEstimate:
    """The estimate of the nodes of one stage.

    Attributes:
        stage: the name of the stage.
        nodes: the number of nodes.
        images: the images that the nodes make, score or train on.
        flops: floating-point operations.
        seconds: time of all nodes with one worker on the device.
        seconds_left: time of the nodes that a run would execute.
        disk_bytes: bytes of the stored outputs.
        basis: the basis of the seconds: recorded timings, FLOPs or launches.
        memory_bytes: approximate peak memory of one node, by ``tensors`` or ``process``. Declared memory and memory
            recorded on a GPU count tensors. Other recorded memory counts whole processes. The two are not compared.
        memory_unknown: the number of nodes with networks whose memory is unknown.
    """

    stage: str
    nodes: int = 0
    images: PartialSum = field(default_factory=PartialSum)
    flops: PartialSum = field(default_factory=PartialSum)
    seconds: PartialSum = field(default_factory=PartialSum)
    seconds_left: PartialSum = field(default_factory=PartialSum)
    disk_bytes: PartialSum = field(default_factory=PartialSum)
    basis: set[str] = field(default_factory=set)
    memory_bytes: dict[str, int] = field(default_factory=dict)
    memory_unknown: int = 0


@dataclass(frozen=True)
class Sharing:
    """The images that endless generators make for a plan.

    Attributes:
        images: the images with shared pools.
        unshared_images: the images with one pool for each cell.
    """

    images: int
    unshared_images: int

    @property
    def factor(self) -> float:
        """The factor by which sharing reduces the images. It is below 1 if complete blocks exceed what cells need."""
        return self.unshared_images / self.images


@dataclass(frozen=True)
class Estimate:
    """The estimate of a plan on one device.

    Attributes:
        device: the device.
        stages: the estimates of the stages that the plan has.
        missing: one line, with its remedy, for each thing to fetch before the plan can run.
        sharing: the effect of shared pools; None if nothing is generated.
        problems: one line for each component whose cost is broken.
    """

    device: Device
    stages: tuple[StageEstimate, ...]
    missing: tuple[str, ...]
    sharing: Sharing | None
    problems: tuple[str, ...] = ()

    def total(self, what: str) -> PartialSum:
        """Return the sum of the amount ``what`` over all stages."""
        parts: list[PartialSum] = [getattr(stage, what) for stage in self.stages]
        known = [part.known for part in parts if part.known is not None]
        unknown, least = sum(part.unknown for part in parts), sum(part.least for part in parts)
        return PartialSum(sum(known) if known else None, unknown, least)

    def peak_memory_stage(self, counted: str) -> StageEstimate | None:
        """Return the stage with the highest peak memory of ``tensors`` or of a ``process``."""
        known = [stage for stage in self.stages if counted in stage.memory_bytes]
        return max(known, key=lambda stage: stage.memory_bytes[counted], default=None)

    @property
    def basis(self) -> frozenset[str]:
        """The bases of all stages."""
        return frozenset().union(*(stage.basis for stage in self.stages))


def estimate(state: State, device: str | None = None) -> Estimate:
    """Estimate the cost of a plan. Raise DdbenchError for an unknown device."""
    work = Workload(state)
    timings = Timings(state, work)
    chosen, to_run = choose_device(device, timings.seconds), state.to_run()
    stages = {stage: StageEstimate(stage) for stage in STAGES}
    for key, node in state.graph.nodes.items():
        manifest, found = state.manifests.get(key), work.of(key)
        stage = stages[node.stage]
        stage.disk_bytes.add(found.cost.disk_bytes if manifest is None else manifest.size)
        _add(stage, node, found, timings, chosen, left=key in to_run)
    present = tuple(stage for stage in stages.values() if stage.nodes)
    return Estimate(chosen, present, missing_here(state), _sharing(state, work), tuple(work.problems))


def disk_left(state: State) -> int:
    """Return the bytes that a run would store, as far as they are known before it."""
    work = Workload(state)
    return sum(work.of(key).cost.disk_bytes or 0 for key in state.to_run())


def _add(stage: StageEstimate, node: Node, work: NodeWork, timings: Timings, device: Device, *, left: bool) -> None:
    """Add a node to its stage. ``left`` marks a node that a run would execute."""
    stage.nodes += 1
    stage.images.add(work.images)
    stage.flops.add(work.cost.flops)
    seconds, basis = node_seconds(node, work, timings, device)
    stage.seconds.add(seconds, least=basis == LAUNCHES)
    if left:
        stage.seconds_left.add(seconds, least=basis == LAUNCHES)
    if basis:
        stage.basis.add(basis)
    declared = work.cost.memory_bytes
    memory = timings.memory(work.kind, device.name) or ({} if declared is None else {TENSORS: declared})
    for counted, held in memory.items():
        stage.memory_bytes[counted] = max(held, stage.memory_bytes.get(counted, 0))
    if not memory and work.cost.flops != 0:
        stage.memory_unknown += 1


def node_seconds(node: Node, work: NodeWork, timings: Timings, device: Device) -> tuple[float | None, str | None]:
    """Return the seconds of a node and their basis."""
    recorded = None if work.units is None else timings.predict(work.kind, device.name, work.units)
    if recorded is not None:
        return recorded, RECORDED
    return assumed_seconds(device, work.cost, node.stage, node.threads)


def _sharing(state: State, work: Workload) -> Sharing | None:
    """Return the number of generated images, with and without shared pools."""
    images = [
        work.of(key).images or 0
        for key, node in state.graph.nodes.items()
        if node.stage == "generate" and not generator_of(node).finite
    ]
    if not images:
        return None
    unshared = 0
    for cell, _ in state.graph.cells:
        generator = cell.row.generator.component
        if not generator.finite:
            unshared += (cell.row.pool.count(cell.ipc) or generator.block) * len(work.dataset.classes)
    return Sharing(sum(images), unshared)
