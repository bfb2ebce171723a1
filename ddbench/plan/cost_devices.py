"""Devices that plans are estimated for, and what they are assumed to give."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ddbench.api import Cost
from ddbench.errors import DdbenchError, did_you_mean

# Assumed, not measured: the share of its peak at which a device computes the networks of each stage. Where networks or
# images are small it waits for work to be handed to it, and gives less.
SHARES: Final = {"fit": 0.3, "generate": 0.4, "score": 0.3, "label": 0.3, "refine": 0.4, "evaluate": 0.3}
DEFAULT: Final = "h100"
THIS_CPU: Final = "cpu"


@dataclass(frozen=True)
class Device:
    """A device by its short name.

    Attributes:
        title: what it is, for people.
        float32, half: operations a second at its peak, dense, in float32 without TF32 and in bfloat16; of a CPU, of
            one thread. None: not known, so that nothing is estimated from operations.
        memory_gib: None where there is no limit of its own.
    """

    name: str
    title: str
    float32: float | None = None
    half: float | None = None
    memory_gib: float | None = None

    @property
    def shares(self) -> dict[str, float]:
        """The assumed share of its peak by stage; empty where its peak is not known."""
        return {} if self.float32 is None else SHARES

    def seconds(self, cost: Cost, stage: str, threads: int) -> float | None:
        """How long the networks of a piece of work take, at the assumed share of the peak; None where unknown."""
        if not cost.flops or self.float32 is None or stage not in SHARES:
            return None
        seconds = (cost.flops - cost.half_flops) / self.float32 + cost.half_flops / (self.half or self.float32)
        return seconds / SHARES[stage] / (threads if self.name == THIS_CPU else 1)


# As in NVIDIA's data sheets, of the SXM modules where there are several forms.
KNOWN: Final = {
    device.name: device
    for device in (
        Device("a100", "A100 (SXM, 80 GB)", 19.5e12, 312e12, 80),
        Device("h100", "H100 (SXM)", 67e12, 989e12, 80),
        Device("h200", "H200 (SXM)", 67e12, 989e12, 141),
        Device("rtx-4090", "GeForce RTX 4090", 82.6e12, 165.2e12, 24),
        Device("a6000", "RTX A6000", 38.7e12, 154.8e12, 48),
    )
}
_MODELS: Final = {
    "a100": r"\bA100-SXM",
    "h100": r"\bH100\b(?!.*\b(PCIe|NVL)\b)",
    "h200": r"\bH200\b(?!.*\bNVL\b)",
    "rtx-4090": r"\bRTX 4090\b(?! (D|Laptop))",
    "a6000": r"\bRTX A6000\b",
}


def device_of(environment: Mapping[str, Any]) -> str:
    """The short name of the device in a recorded environment; that of its model where there is none."""
    from ddbench.run.environment import cpu_model

    model = str(environment.get("device_model", ""))
    if environment.get("device") == "cpu":
        return THIS_CPU if model == cpu_model() else model
    return next((name for name, pattern in _MODELS.items() if re.search(pattern, model)), model)


def choose_device(name: str | None, recorded: Mapping[str, float]) -> Device:
    """The device of that name; without one, that on which most was recorded, else the default.

    Args:
        recorded: seconds of recorded work by device.

    Raises:
        DdbenchError: nothing is known of a device of that name, and nothing was recorded on one.
    """
    chosen = name or max(recorded, key=lambda device: recorded[device], default=DEFAULT)
    if chosen in KNOWN:
        return KNOWN[chosen]
    if chosen == THIS_CPU:
        return _this_cpu()
    if chosen not in recorded:
        hint = did_you_mean(chosen, {*KNOWN, THIS_CPU, *recorded})
        raise DdbenchError(f"nothing is known of a device '{chosen}'", hint=hint)
    return Device(chosen, chosen)


def _this_cpu() -> Device:
    """The processor of this machine: its clock, and what its instruction sets do in a cycle."""
    from ddbench.run.environment import cpu_model

    title, hertz, words = f"one thread of this processor ({cpu_model()})", _clock(), _words()
    if hertz is None or "avx2" not in words:
        return Device(THIS_CPU, title)
    # Two units that multiply and add vectors of eight, on Intel's servers of sixteen; AMX multiplies tiles.
    float32 = 64 if {"avx512f", "GenuineIntel"} <= words else 32
    half = 1024 if "amx_bf16" in words else 64 if {"avx512_bf16", "AuthenticAMD"} <= words else float32
    return Device(THIS_CPU, title, float32 * hertz, half * hertz)


def _words() -> frozenset[str]:
    """Vendor and instruction sets, where the system tells them (Linux)."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return frozenset(word for line in lines if line.startswith(("vendor_id", "flags")) for word in line.split()[2:])
    return frozenset()


def _clock() -> float | None:
    """Cycles a second at most, else now, where the system tells them."""
    with suppress(OSError, ValueError):
        return 1e3 * int(Path("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq").read_text())
    with suppress(OSError, ValueError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("cpu MHz"):
                return 1e6 * float(line.partition(":")[2])
    return None
