"""The recorded timings of a store, by kind of work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from statistics import fmean
from typing import Final

from ddbench.plan.estimate.devices import device_of
from ddbench.plan.estimate.work import Workload, kind_of_evaluation, kind_of_recipe, passes
from ddbench.record import Machine, RunRecord, Usage
from ddbench.store import Manifest, Store

_MIB = 2**20
RECORDED: Final = "recorded timings"
# Memory of tensors only, or of a whole process including Python and torch.
TENSORS: Final = "tensors"
PROCESS: Final = "process"


@dataclass(frozen=True)
class Timing:
    """One recorded piece of work.

    Attributes:
        kind: the kind of work; work of one kind has one speed.
        device: the name of the device.
        units: the amount of work; None if it was not recorded.
        seconds: the time.
        memory_of: the measure of memory: ``tensors`` on a GPU, else ``process``.
        memory_bytes: the peak memory; None if it was not recorded.
    """

    kind: str
    device: str
    units: int | None
    seconds: float
    memory_of: str
    memory_bytes: int | None


class Timings:
    """The recorded work of all suites in a store, without interrupted work.

    Attributes:
        seconds: the sum of seconds by device.
    """

    def __init__(self, store: Store, work: Workload) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._took: dict[tuple[str, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._memory: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        for timing in _recorded(store, work):
            place = (timing.kind, timing.device)
            self.seconds[timing.device] += timing.seconds
            held = self._memory[place]
            if timing.memory_bytes is not None:
                held[timing.memory_of] = max(timing.memory_bytes, held.get(timing.memory_of, 0))
            if timing.units:
                self._took[place][timing.units].append(timing.seconds)

    def predict(self, kind: str, device: str, units: int) -> float | None:
        """Predict the seconds of some work from the recorded work nearest in size; None if the kind has no record.

        Small work takes longer per unit, because each node has a fixed cost.
        """
        took = self._took.get((kind, device))
        if not took or not units:
            return None
        nearest = min(took, key=lambda size: abs(log(size / units)))
        return fmean(took[nearest]) / nearest * units

    def memory(self, kind: str, device: str) -> dict[str, int]:
        """Return the peak memory of such work on the device in bytes, by ``tensors`` or ``process``; may be empty."""
        return self._memory.get((kind, device), {})


def _recorded(store: Store, work: Workload) -> Iterator[Timing]:
    """Yield all work that was timed completely. Resumed work was timed only in part."""
    for manifest in store.manifests():
        usage, machine = manifest.made.usage, manifest.made.environment
        if usage is not None and machine is not None and usage.wall_s is not None and not usage.resumed:
            kind = kind_of_recipe(manifest.stage, manifest.recipe["uses"], manifest.recipe["settings"])
            yield _timing(kind, machine, _units(manifest), usage, usage.wall_s)
    for record in store.all_results():
        usage = record.training
        if usage.wall_s is not None and not _was_resumed(record):
            yield _timing(_kind(record), record.environment, _passes(record, work), usage, usage.wall_s)


def _was_resumed(record: RunRecord) -> bool:
    """Return True if a training was resumed. Older records note it in the evaluator's details."""
    return record.training.resumed or bool(record.result.details.get("resumed_after"))


def _timing(kind: str, machine: Machine, units: int | None, usage: Usage, wall: float) -> Timing:
    on_gpu = usage.peak_device_memory_mib is not None
    mebibytes = usage.peak_device_memory_mib if on_gpu else usage.peak_memory_mib
    memory = (TENSORS if on_gpu else PROCESS, None if mebibytes is None else int(mebibytes * _MIB))
    return Timing(kind, device_of(machine), units, _seconds(machine, wall, usage.cpu_s), *memory)


def _seconds(machine: Machine, wall: float, cpu: float | None) -> float:
    """Return the wall time. On a CPU, return the CPU time per thread if it is less, since other processes may run."""
    if machine.device != "cpu" or cpu is None:
        return wall
    return min(wall, cpu / (machine.threads or 1))


def _units(manifest: Manifest) -> int | None:
    """Return the amount of work of an artifact, in the unit of its stage."""
    if manifest.stage in ("dataset", "fit"):
        return 1
    if manifest.stage == "distill":
        return manifest.size
    return manifest.made.pool_size if manifest.stage == "select" else manifest.made.samples


def _kind(record: RunRecord) -> str:
    uses = {
        "evaluator": record.evaluator,
        "student": record.student,
        "dataset": record.dataset,
        "teacher": record.teacher,
    }
    protocol = {} if record.protocol is None else record.protocol.model_dump()
    components = {role: use.model_dump() for role, use in uses.items() if use is not None}
    return kind_of_evaluation(components, protocol, record.environment.numerics.partition(",")[0])


def _passes(record: RunRecord, work: Workload) -> int | None:
    """Return the forward passes of a recorded training; None for a protocol that the plan does not use."""
    protocol = None if record.protocol is None else work.protocols.get(record.protocol.sha256)
    if protocol is None or record.distilled is None or record.distilled.ipc is None:
        return None
    measured = record.result.evaluations * record.validation.size
    return passes(protocol, len(work.dataset.classes), record.distilled.ipc, measured)
