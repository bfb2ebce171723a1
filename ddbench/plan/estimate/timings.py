"""The recorded timings of a store, by kind of work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from statistics import fmean
from typing import Any, Final

from ddbench.plan.estimate.devices import device_of
from ddbench.plan.estimate.work import Workload, kind_of_evaluation, kind_of_recipe, passes
from ddbench.record import RunRecord
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
        info = manifest.info
        if "usage" in info and "environment" in info and "resumed" not in info["usage"]:
            kind = kind_of_recipe(manifest.stage, manifest.recipe["uses"], manifest.recipe["settings"])
            yield _timing(kind, info["environment"], _units(manifest), info["usage"])
    for record in store.all_results():
        if record.training.wall_s is not None and not _was_resumed(record):
            usage = record.training.model_dump(exclude_none=True)
            yield _timing(_kind(record), record.environment.model_dump(), _passes(record, work), usage)


def _was_resumed(record: RunRecord) -> bool:
    """Return True if a training was resumed. Older records note it in the evaluator's details."""
    return record.training.resumed or bool(record.result.details.get("resumed_after"))


def _timing(kind: str, environment: dict[str, Any], units: int | None, usage: dict[str, float]) -> Timing:
    on_gpu = "peak_device_memory_mib" in usage
    mebibytes = usage.get("peak_device_memory_mib" if on_gpu else "peak_memory_mib")
    memory = (TENSORS if on_gpu else PROCESS, None if mebibytes is None else int(mebibytes * _MIB))
    return Timing(kind, device_of(environment), units, _seconds(environment, usage), *memory)


def _seconds(environment: dict[str, Any], usage: dict[str, float]) -> float:
    """Return the wall time. On a CPU, return the CPU time per thread if it is less, since other processes may run."""
    wall = usage["wall_s"]
    if environment["device"] != "cpu":
        return wall
    return min(wall, usage.get("cpu_s", wall) / (environment.get("threads") or 1))


def _units(manifest: Manifest) -> int | None:
    """Return the amount of work of an artifact, in the unit of its stage."""
    if manifest.stage in ("dataset", "fit"):
        return 1
    if manifest.stage == "distill":
        return manifest.size
    units: int | None = manifest.info.get("pool_size" if manifest.stage == "select" else "samples")
    return units


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
