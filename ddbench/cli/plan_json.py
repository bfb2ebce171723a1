"""The JSON of a plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from ddbench.cli.set_counts import set_counts
from ddbench.plan.estimate.devices import assumed_shares, launch_seconds

if TYPE_CHECKING:
    from ddbench.cli.json_types import Memory, NodeCounts, PlanCosts, PlannedDevice, PlannedStage, PlanOutput, Unknown
    from ddbench.plan import State
    from ddbench.plan.estimate.estimate import Estimate, PartialSum, StageEstimate
    from ddbench.suite import ResolvedSuite
    from ddbench.toolkit.hardware import Device

# These take disk space too, but are not part of the estimate.
NOT_COUNTED = ("data", "weights", "cached latents")


def plan_json(
    resolved: ResolvedSuite,
    state: State,
    rows: Sequence[NodeCounts],
    found: Estimate,
    drift: list[str],
    images: Mapping[str, Sequence[int]],
    students: dict[str, str],
) -> PlanOutput:
    """Return a plan as JSON.

    Args:
        resolved: the suite.
        state: its plan.
        rows: the number of nodes of each stage.
        found: the estimate, of the same stages.
        drift: what changed since outputs were stored, as lines.
        images: the number of images of each class, by source.
        students: what protocols say about students, by protocol.
    """
    return {
        **_costs(found),
        "suite": resolved.name,
        "cells": len(state.graph.cells),
        "cells_done": sum(key in state.measured for _, key in state.graph.cells),
        "stages": [_stage(row, stage) for row, stage in zip(rows, found.stages, strict=True)],
        "drift": drift,
        "damaged": sorted(set(state.corrupt.values())),
        "skipped": list(resolved.skipped),
        "local_protocols": resolved.local_protocols,
        "results": state.sources(),
        "sets": set_counts(state.graph),
        "images": {source: list(own) for source, own in images.items()},
        "students": students,
    }


def _stage(counts: NodeCounts, stage: StageEstimate) -> PlannedStage:
    """Return the counts and the estimate of a stage."""
    return {
        **counts,
        "images": stage.images.known,
        "flops": stage.flops.known,
        "hours": _hours(stage.seconds),
        "hours_left": _hours(stage.seconds_left),
        "memory_bytes": _memory(stage.memory_bytes),
        "disk_bytes": stage.disk_bytes.known,
        "nodes_unknown": _unknown(lambda name: getattr(stage, name), stage.memory_unknown),
        "estimated_from": sorted(stage.basis),
    }


def _costs(found: Estimate) -> PlanCosts:
    """Return the estimate of all stages together."""
    sharing = found.sharing
    peaks = {counted: found.peak_memory_stage(counted) for counted in ("tensors", "process")}
    return {
        "device": _device(found.device),
        "flops": found.total("flops").known,
        "hours": _hours(found.total("seconds")),
        "hours_left": _hours(found.total("seconds_left")),
        "memory_bytes": _memory({counted: stage.memory_bytes[counted] for counted, stage in peaks.items() if stage}),
        "disk_bytes": found.total("disk_bytes").known,
        "disk_bytes_without": list(NOT_COUNTED),
        "nodes_unknown": _unknown(found.total, sum(stage.memory_unknown for stage in found.stages)),
        "sharing": None
        if sharing is None
        else {"images": sharing.images, "one_pool_a_cell": sharing.unshared_images, "factor": sharing.factor},
        "missing": list(found.missing),
    }


def _device(device: Device) -> PlannedDevice:
    return {
        "name": device.name,
        "title": device.title,
        "peak_flops": {"float32": device.float32, "bf16": device.half},
        "memory_gib": device.memory_gib,
        "assumed_shares": assumed_shares(device),
        "assumed_launch_seconds": launch_seconds(device),
    }


def _memory(known: Mapping[str, int]) -> Memory:
    return {"tensors": known.get("tensors"), "process": known.get("process")}


def _unknown(amount: Callable[[str], PartialSum], memory: int) -> Unknown:
    return {
        "flops": amount("flops").unknown,
        "hours": amount("seconds").unknown,
        "hours_left": amount("seconds_left").unknown,
        "disk_bytes": amount("disk_bytes").unknown,
        "memory_bytes": memory,
    }


def _hours(amount: PartialSum) -> float | None:
    return None if amount.known is None else amount.known / 3600
