"""Names and peak speeds of processors and GPUs. Torch is imported only if it is needed."""

from __future__ import annotations

import platform
import re
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from ddbench.api.cost import Cost
from ddbench.toolkit.gpus import gpu_models

THIS_CPU: Final = "cpu"
# Measured with a ConvNet-3, a teacher and a small DiT on an AMD EPYC (Zen 4): 0.5 to 1.6 of the peak at the base clock.
# A virtual machine tells the base clock, and a processor runs faster.
_VECTOR_SHARE: Final = 0.9
_CPUINFO: Final = Path("/proc/cpuinfo")


@dataclass(frozen=True)
class Device:
    """A device. For a CPU, speeds are those of one thread.

    Attributes:
        name: the short name.
        title: the name for display.
        float32: dense peak operations per second in float32, without TF32; None if unknown.
        half: dense peak operations per second in bfloat16; None if unknown.
        memory_gib: its memory in GiB; None for a CPU or if unknown.
        share: the share of the peak that networks reach; None if it was not measured.
    """

    name: str
    title: str
    float32: float | None = None
    half: float | None = None
    memory_gib: float | None = None
    share: float | None = None

    def least_seconds(self, cost: Cost, threads: int) -> float | None:
        """Return the seconds of some work at peak speed; None if the work or the speed is unknown."""
        if not cost.flops or self.float32 is None:
            return None
        seconds = (cost.flops - cost.half_flops) / self.float32 + cost.half_flops / (self.half or self.float32)
        return seconds / (threads if self.name == THIS_CPU else 1)


# From NVIDIA's data sheets; for the SXM module if there are several variants.
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


def known_model(model: str) -> str | None:
    """Return the short name of a GPU from the driver's name for it; None if unknown."""
    return next((name for name, pattern in _MODELS.items() if re.search(pattern, model)), None)


def device_in_use(device: str) -> Device | None:
    """Return the device with torch's name ``device``; None if its speed is unknown."""
    kind = device.partition(":")[0]
    if kind == "cpu":
        return this_cpu()
    if kind != "cuda":
        return None
    import torch

    name = known_model(torch.cuda.get_device_name(device))
    return None if name is None else KNOWN[name]


def device_of_runs() -> Device:
    """Return the default device of runs on this machine: a GPU, or else the processor.

    Prefer a GPU with known speed. A GPU of another model has a name only.
    """
    models = gpu_models()
    known = [KNOWN[name] for name in map(known_model, models) if name is not None]
    if known:
        return known[0]
    return Device(models[0], models[0]) if models else this_cpu()


def this_cpu() -> Device:
    """Return this machine's processor, with its speed from clock and instruction sets."""
    title, hertz, words = f"one thread of this processor ({cpu_model()})", _clock(), cpu_words()
    if hertz is None or "avx2" not in words:
        return Device(THIS_CPU, title)
    # Operations per cycle: two units multiply and add vectors of 8 floats (16 on Intel servers); AMX multiplies tiles.
    float32 = 64 if {"avx512f", "GenuineIntel"} <= words else 32
    half = 1024 if "amx_bf16" in words else 64 if {"avx512_bf16", "AuthenticAMD"} <= words else float32
    # Small networks do not keep tiles busy.
    share = None if "amx_bf16" in words else _VECTOR_SHARE
    return Device(THIS_CPU, title, float32 * hertz, half * hertz, share=share)


@cache
def cpu_model() -> str:
    """Return the system's name of the processor."""
    return next(iter(_values(_CPUINFO, "model name")), None) or platform.processor() or platform.machine()


def cpu_words() -> frozenset[str]:
    """Return vendor and instruction sets as Linux lists them; empty on other systems."""
    return frozenset(word for line in _values(_CPUINFO, "vendor_id", "flags") for word in line.split())


def _clock() -> float | None:
    """Return the maximum clock in Hz, or else the current one; None if neither is known."""
    with suppress(OSError, ValueError):
        return 1e3 * int(Path("/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq").read_text())
    with suppress(StopIteration, ValueError):
        return 1e6 * float(next(iter(_values(_CPUINFO, "cpu MHz"))))
    return None


def _values(file: Path, *names: str) -> list[str]:
    """Return the values with these names from a file of ``name: value`` lines, in the order of lines."""
    with suppress(OSError):
        pairs = (line.partition(":") for line in file.read_text(encoding="utf-8").splitlines())
        return [value.strip() for name, _, value in pairs if name.strip() in names]
    return []
