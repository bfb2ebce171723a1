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
from ddbench.plan.state import State
from ddbench.record import Machine, Measurement, Usage
from ddbench.store import Manifest

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

    def __init__(self, state: State, work: Workload) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._took: dict[tuple[str, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._memory: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        for timing in _recorded(state, work):
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


def _recorded(state: State, work: Workload) -> Iterator[Timing]:
    """Yield all work that was timed completely. Resumed work was timed only in part."""
    for manifest in state.store.manifests():
        usage, machine = manifest.made.usage, manifest.made.environment
        if usage is not None and machine is not None and usage.wall_s is not None and not usage.resumed:
            kind = kind_of_recipe(manifest.stage, manifest.recipe["uses"], manifest.recipe["settings"])
            yield _timing(kind, machine, _units(manifest), usage, usage.wall_s)
    kinds: dict[tuple[int, int, int], str] = {}
    for measured in state.all_measured():
        if measured.wall_s is not None and not measured.resumed:
            shared = id(measured.uses), id(measured.protocol), id(measured.environment)
            if shared not in kinds:
                kinds[shared] = _kind(measured)
            yield _timing(kinds[shared], measured.environment, _passes(measured, work), measured, measured.wall_s)


def _timing(kind: str, machine: Machine, units: int | None, usage: Usage | Measurement, wall: float) -> Timing:
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


def _kind(measured: Measurement) -> str:
    protocol = {} if measured.protocol is None else measured.protocol.model_dump(exclude={"content"})
    components = {role: use.model_dump() for role, use in measured.uses.items()}
    return kind_of_evaluation(components, protocol, measured.environment.numerics.partition(",")[0])


def _passes(measured: Measurement, work: Workload) -> int | None:
    """Return the forward passes of a recorded training; None for a protocol that the plan does not use."""
    protocol = None if measured.protocol is None else work.protocols.get(measured.protocol.sha256)
    if protocol is None or measured.ipc is None:
        return None
    predictions = measured.evaluations * measured.validation.size
    return passes(protocol, len(work.dataset.classes), measured.ipc, predictions)
