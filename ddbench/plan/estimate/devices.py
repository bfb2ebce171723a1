"""The devices that plans are estimated for, and how fast they are assumed to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ddbench.api import Cost
from ddbench.errors import DdbenchError, did_you_mean
from ddbench.toolkit.hardware import KNOWN, THIS_CPU, Device, cpu_model, device_of_runs, known_model, this_cpu

# Assumed, not measured: the share of its peak that a device reaches in the networks of each stage.
SHARES: Final = {"fit": 0.3, "generate": 0.4, "score": 0.3, "label": 0.3, "refine": 0.4, "evaluate": 0.3}
# Assumed, not measured: no GPU runs kernels faster than one in so many seconds, since the CPU launches them one by one.
LAUNCH_SECONDS: Final = 5e-6
FLOPS: Final = "FLOPs"
LAUNCHES: Final = "launches"


def assumed_shares(device: Device) -> dict[str, float]:
    """Return the assumed share of the device's peak by stage; empty if the peak is not known."""
    return {} if device.float32 is None else SHARES


def launch_seconds(device: Device) -> float | None:
    """Return the least time from one kernel to the next; None if none is assumed, as on a CPU."""
    return LAUNCH_SECONDS if device.name in KNOWN else None


def assumed_seconds(device: Device, cost: Cost, stage: str, threads: int) -> tuple[float | None, str | None]:
    """Return how long the networks of some work take, and which of operations and launches that depends on.

    Both are None if nothing is known.
    """
    least = device.least_seconds(cost, threads)
    if least is None or stage not in SHARES:
        return None, None
    computing = least / SHARES[stage]
    launching = cost.launches * (launch_seconds(device) or 0)
    return max((computing, FLOPS), (launching, LAUNCHES))


def device_of(environment: Mapping[str, Any]) -> str:
    """Return the short name of the device in a recorded environment, or its model where it has no short name."""
    model = str(environment.get("device_model", ""))
    if environment.get("device") == "cpu":
        return THIS_CPU if model == cpu_model() else model
    return known_model(model) or model


def choose_device(name: str | None, recorded: Mapping[str, float]) -> Device:
    """Return the device of that name, by default the one with most recorded work, else the one of runs here.

    Args:
        recorded: seconds of recorded work by device.

    Raises:
        DdbenchError: no such device is known, and no work was recorded on one.
    """
    chosen = name or max(recorded, key=lambda device: recorded[device], default=None)
    if chosen is None:
        return device_of_runs()
    if chosen in KNOWN:
        return KNOWN[chosen]
    if chosen == THIS_CPU:
        return this_cpu()
    if chosen not in recorded:
        hint = did_you_mean(chosen, {*KNOWN, THIS_CPU, *recorded})
        raise DdbenchError(f"unknown device '{chosen}'", hint=hint)
    return Device(chosen, chosen)
