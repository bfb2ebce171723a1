"""How fast work of each kind went, as a store has recorded it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import log
from statistics import fmean
from typing import Any

from ddbench.errors import StoreError
from ddbench.plan.cost_devices import device_of
from ddbench.plan.cost_work import Workload, kind_of_evaluation, kind_of_recipe, passes
from ddbench.store import Manifest, Store

_MIB = 2**20


@dataclass(frozen=True)
class Timing:
    """One recorded piece of work.

    Attributes:
        units: None where it was not recorded how much there was to do.
    """

    kind: str
    device: str
    units: int | None
    seconds: float
    memory_bytes: int


class Timings:
    """What a store has recorded, of any suite, of work that was done in one go.

    Attributes:
        seconds: of all that was recorded, by device.
    """

    def __init__(self, store: Store, work: Workload) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._took: dict[tuple[str, str], dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._memory: dict[tuple[str, str], int] = defaultdict(int)
        for timing in _recorded(store, work):
            place = (timing.kind, timing.device)
            self.seconds[timing.device] += timing.seconds
            self._memory[place] = max(self._memory[place], timing.memory_bytes)
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

    def memory(self, kind: str, device: str) -> int | None:
        """The most that work of the kind has held on the device, in bytes."""
        return self._memory.get((kind, device))


def _recorded(store: Store, work: Workload) -> Iterator[Timing]:
    """What was timed from its beginning to its end: of work that was taken up again, only the rest was."""
    for manifest in store.manifests():
        if "usage" in manifest.info and "environment" in manifest.info and "resumed" not in manifest.info["usage"]:
            kind = kind_of_recipe(manifest.stage, manifest.recipe["uses"], manifest.recipe["settings"])
            yield _timing(kind, manifest.info["environment"], _units(manifest), manifest.info["usage"])
    for record in _results(store):
        usage = record["stages"][-1]
        if {"protocol", "distilled_size"} <= record.keys() and "wall_s" in usage and not _was_resumed(record):
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
    mebibytes = usage.get("peak_device_memory_mib", usage["peak_memory_mib"])
    return Timing(kind, device_of(environment), units, usage["wall_s"], int(mebibytes * _MIB))


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
    return passes(protocol, len(work.dataset.classes), record["distilled_size"], measured)
