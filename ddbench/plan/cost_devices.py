"""Devices that plans are estimated for, and what they are assumed to give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ddbench.api import Cost
from ddbench.errors import DdbenchError, did_you_mean
from ddbench.toolkit.hardware import KNOWN, THIS_CPU, Device, cpu_model, device_of_runs, known_model, this_cpu

# Assumed, not measured: the share of its peak at which a device computes the networks of each stage. Where networks or
# images are small it waits for work to be handed to it, and gives less.
SHARES: Final = {"fit": 0.3, "generate": 0.4, "score": 0.3, "label": 0.3, "refine": 0.4, "evaluate": 0.3}


def assumed_shares(device: Device) -> dict[str, float]:
    """The assumed share of its peak by stage; empty where its peak is not known."""
    return {} if device.float32 is None else SHARES


def assumed_seconds(device: Device, cost: Cost, stage: str, threads: int) -> float | None:
    """How long the networks of a piece of work take, at the assumed share of the peak; None where unknown."""
    least = device.least_seconds(cost, threads)
    return None if least is None or stage not in SHARES else least / SHARES[stage]


def device_of(environment: Mapping[str, Any]) -> str:
    """The short name of the device in a recorded environment; that of its model where there is none."""
    model = str(environment.get("device_model", ""))
    if environment.get("device") == "cpu":
        return THIS_CPU if model == cpu_model() else model
    return known_model(model) or model


def choose_device(name: str | None, recorded: Mapping[str, float]) -> Device:
    """The device of that name; without one, that on which most was recorded, else what a run here would compute on.

    Args:
        recorded: seconds of recorded work by device.

    Raises:
        DdbenchError: nothing is known of a device of that name, and nothing was recorded on one.
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
        raise DdbenchError(f"nothing is known of a device '{chosen}'", hint=hint)
    return Device(chosen, chosen)
