"""The devices of estimates, and their assumed speeds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ddbench.api import Cost
from ddbench.errors import DdbenchError, did_you_mean
from ddbench.record import Machine
from ddbench.toolkit.hardware import KNOWN, THIS_CPU, Device, cpu_model, device_of_runs, known_model, this_cpu

# Assumed, not measured: the share of its peak that a device reaches with the networks of each stage.
SHARES: Final = {
    "fit": 0.3,
    "check": 0.3,
    "generate": 0.4,
    "score": 0.3,
    "neighbours": 0.2,
    "label": 0.3,
    "refine": 0.4,
    "assess": 0.2,
    "evaluate": 0.3,
}
# Assumed, not measured: the minimum time of a kernel on a GPU, since the CPU launches kernels one by one.
LAUNCH_SECONDS: Final = 5e-6
FLOPS: Final = "FLOPs"
LAUNCHES: Final = "launches"


def assumed_shares(device: Device) -> dict[str, float]:
    """Return the assumed share of the device's peak by stage; empty if the peak is unknown."""
    if device.float32 is None:
        return {}
    return SHARES if device.share is None else dict.fromkeys(SHARES, device.share)


def launch_seconds(device: Device) -> float | None:
    """Return the minimum time of a kernel; None if no minimum is assumed, as on a CPU."""
    return LAUNCH_SECONDS if device.name in KNOWN else None


def assumed_seconds(device: Device, cost: Cost, stage: str, threads: int) -> tuple[float | None, str | None]:
    """Return the seconds of some work, and their basis, FLOPs or launches.

    Work without operations of a network counts as no time, and has no basis. Both are None if the time is unknown.
    """
    if cost.flops == 0:
        return 0.0, None
    least, shares = device.least_seconds(cost, threads), assumed_shares(device)
    if least is None or stage not in shares:
        return None, None
    computing = least / shares[stage]
    launching = cost.launches * (launch_seconds(device) or 0)
    return max((computing, FLOPS), (launching, LAUNCHES))


def device_of(machine: Machine) -> str:
    """Return the short name of a recorded device, or its model if it has no short name."""
    model = machine.device_model
    if machine.device == "cpu":
        return THIS_CPU if model == cpu_model() else model
    return known_model(model) or model


def choose_device(name: str | None, recorded: Mapping[str, float]) -> Device:
    """Return the device to estimate for.

    Args:
        name: its name; by default the device with most recorded work, or else the device of runs on this machine.
        recorded: seconds of recorded work by device.

    Raises:
        DdbenchError: the device is unknown and has no recorded work.
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
