"""How fast work of each kind went, as a store has recorded it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import log
from statistics import fmean
from typing import Any, Final

from ddbench.errors import StoreError
from ddbench.plan.cost_devices import device_of
from ddbench.plan.cost_work import Workload, kind_of_evaluation, kind_of_recipe, passes
from ddbench.store import Manifest, Store

_MIB = 2**20
# What memory is counted of: a process holds Python, torch and what both keep, beside tensors.
TENSORS: Final = "tensors"
PROCESS: Final = "process"


@dataclass(frozen=True)
class Timing:
    """One recorded piece of work.

    Attributes:
        units: None where it was not recorded how much there was to do.
        memory_of: what held so many bytes: the tensors on a GPU, elsewhere the whole process.
    """

    kind: str
    device: str
    units: int | None
    seconds: float
    memory_of: str
    memory_bytes: int


class Timings:
    """What a store has recorded, of any suite, of work that was done in one go.

    Attributes:
        seconds: of all that was recorded, by device.
    """

    def __init__(self, store: Store, work: Workload) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._took: dict[tuple[str, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._memory: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
        for timing in _recorded(store, work):
            place = (timing.kind, timing.device)
            self.seconds[timing.device] += timing.seconds
            held = self._memory[place]
            held[timing.memory_of] = max(timing.memory_bytes, held.get(timing.memory_of, 0))
            if timing.units:
                self._took[place][timing.units].append(timing.seconds)

    def estimate(self, kind: str, device: str, units: int) -> float | None:
        """Seconds for so many units, from the recorded work that is nearest in size; None without any of the kind.

        A unit of small work takes longer, for what is done once a node: the smaller the recorded work, the more of it.
        """
        took = self._took.get((kind, device))
        if not took or not units:
            return None
        nearest = min(took, key=lambda size: abs(log(size / units)))
        return fmean(took[nearest]) / nearest * units

    def memory(self, kind: str, device: str) -> dict[str, int]:
        """The most bytes that work of the kind has held on the device, by what they were counted of; perhaps empty."""
        return self._memory.get((kind, device), {})


def _recorded(store: Store, work: Workload) -> Iterator[Timing]:
    """What was timed from its beginning to its end: of work that was taken up again, only the rest was."""
    for manifest in store.manifests():
        if "usage" in manifest.info and "environment" in manifest.info and "resumed" not in manifest.info["usage"]:
            kind = kind_of_recipe(manifest.stage, manifest.recipe["uses"], manifest.recipe["settings"])
            yield _timing(kind, manifest.info["environment"], _units(manifest), manifest.info["usage"])
    for record in _results(store):
        usage = record["stages"][-1]
        if {"protocol", "ipc"} <= record.keys() and "wall_s" in usage and not _was_resumed(record):
            yield _timing(_kind(record), record["environment"], _passes(record, work), usage)


def _was_resumed(record: dict[str, Any]) -> bool:
    """Whether a training was taken up again, as its worker says or, in older records, the evaluator alone."""
    return "resumed" in record["stages"][-1] or bool(record["result"]["details"].get("resumed_after"))


def _results(store: Store) -> Iterator[dict[str, Any]]:
    """Every record of a training that is not damaged."""
    for folder in sorted((store.root / "results").glob("*/*")):
        with suppress(StoreError):
            yield from store.results(folder.name)


def _timing(kind: str, environment: dict[str, Any], units: int | None, usage: dict[str, float]) -> Timing:
    on_gpu = "peak_device_memory_mib" in usage
    mebibytes = usage["peak_device_memory_mib" if on_gpu else "peak_memory_mib"]
    memory = (TENSORS if on_gpu else PROCESS, int(mebibytes * _MIB))
    return Timing(kind, device_of(environment), units, usage["wall_s"], *memory)


def _units(manifest: Manifest) -> int | None:
    """How much an artifact was to make, in the measure of its stage."""
    if manifest.stage in ("dataset", "fit"):
        return 1
    if manifest.stage == "distill":
        return manifest.size
    if manifest.stage == "select":
        size: int | None = manifest.info.get("pool_size")
        return size
    samples: int | None = manifest.info.get("samples")
    return samples


def _kind(record: dict[str, Any]) -> str:
    roles = ("evaluator", "student", "dataset", "teacher")
    uses = {role: record[role] for role in roles if record.get(role) is not None}
    return kind_of_evaluation(uses, record["protocol"], record["environment"]["numerics"].partition(",")[0])


def _passes(record: dict[str, Any], work: Workload) -> int | None:
    """The passes of a recorded training; None for a protocol that the plan has not, and so of no kind of it."""
    protocol = work.protocols.get(record["protocol"]["sha256"])
    if protocol is None:
        return None
    measured = record["result"]["evaluations"] * record["validation"]["size"]
    return passes(protocol, len(work.dataset.classes), record["ipc"], measured)
